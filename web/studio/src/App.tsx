import { LibraryPage } from './library/LibraryPage.js';
import { PhotoPage } from './photo/PhotoPage.js';
import { hrefTo, route } from './route.js';
import { info, isConnected, message } from './store.js';
import { LearnPage } from './learn/LearnPage.js';
import { ThinkPage } from './think/ThinkPage.js';

/** The head of every page, the page that is open, and what is to be told. */
export function App() {
  const [page, ...rest] = route.value;
  return (
    <>
      <header class="top">
        <a class="brand" href={hrefTo()}>
          Framewright
        </a>
        <nav aria-label="pages">
          <a href={hrefTo()} aria-current={page === undefined ? 'page' : undefined}>
            Library
          </a>
          <a href={hrefTo('think')} aria-current={page === 'think' ? 'page' : undefined}>
            See it think
          </a>
          <a href={hrefTo('learn')} aria-current={page === 'learn' ? 'page' : undefined}>
            Learn
          </a>
        </nav>
        {info.value && !isConnected.value && <span class="offline">not connected</span>}
      </header>
      <Page page={page} rest={rest} />
      <Message />
    </>
  );
}

function Page({ page, rest }: { readonly page: string | undefined; readonly rest: readonly string[] }) {
  switch (page) {
    case undefined:
      return <LibraryPage />;
    case 'photo':
      return <PhotoPage id={rest[0] ?? ''} target={rest[1]} />;
    case 'think':
      return <ThinkPage id={rest[0]} />;
    case 'learn':
      return <LearnPage topic={rest[0]} photo={rest[1]} />;
    default:
      return (
        <main class="plain">
          <h1>There is nothing here</h1>
          <p>
            <a href={hrefTo()}>To the library</a>
          </p>
        </main>
      );
  }
}

function Message() {
  const told = message.value;
  return (
    <div class="message" role={told?.isError ? 'alert' : 'status'} aria-live={told?.isError ? 'assertive' : 'polite'}>
      {told && (
        <p class={told.isError ? 'error' : undefined}>
          <span>{told.text}</span>
          <button type="button" aria-label="close this message" onClick={() => (message.value = undefined)}>
            ✕
          </button>
        </p>
      )}
    </div>
  );
}
