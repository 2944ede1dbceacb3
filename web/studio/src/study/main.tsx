import { render } from 'preact';
import '../style.css';
import { JudgePage } from './JudgePage.js';
import { ResultsPage } from './ResultsPage.js';
import './study.css';

/** Of `/judge/<code>`; the page of the owner has none. */
const code = /^\/judge\/([^/]+)$/.exec(location.pathname)?.[1];

render(code === undefined ? <ResultsPage /> : <JudgePage code={code} />, document.getElementById('app')!);
