import { useEffect } from 'preact/hooks';
import { hrefTo } from '../route.js';
import { ElementsTopic } from './ElementsTopic.js';
import { EnginesTopic } from './EnginesTopic.js';
import { FiguresTopic } from './FiguresTopic.js';
import { loadExamples } from './photos.js';
import { PreferencesTopic } from './PreferencesTopic.js';
import './learn.css';

const TOPICS = [
  ['elements', 'Elements of composition'],
  ['engines', 'Ways to crop'],
  ['preferences', 'Learning preferences'],
  ['figures', 'Figures'],
] as const;

/** How crops are found: on the examples, on one's own photos, and by figures that were measured. */
export function LearnPage({
  topic = 'elements',
  photo,
}: {
  readonly topic: string | undefined;
  readonly photo: string | undefined;
}) {
  useEffect(() => void loadExamples(), []);
  useEffect(() => {
    document.title = 'Learn – Framewright studio';
  }, []);
  return (
    <main class="learn">
      <h1>Learn</h1>
      <nav class="topics" aria-label="topics">
        {TOPICS.map(([name, text]) => (
          <a key={name} href={hrefTo('learn', name)} aria-current={topic === name ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <Topic name={topic} photo={photo} />
    </main>
  );
}

function Topic({ name, photo }: { readonly name: string; readonly photo: string | undefined }) {
  switch (name) {
    case 'engines':
      return <EnginesTopic photo={photo} />;
    case 'figures':
      return <FiguresTopic />;
    case 'preferences':
      return <PreferencesTopic />;
    default:
      return <ElementsTopic photo={photo} />;
  }
}
