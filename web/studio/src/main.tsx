import { render } from 'preact';
import { App } from './App.js';
import { attempt, listen, load } from './store.js';
import './style.css';

void attempt(load);
listen();
render(<App />, document.getElementById('app')!);
