import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** Kokoro-FastAPI (remsky/Kokoro-FastAPI, seen: 26eec06): speech. */
export const kokoro: ServerKind = {
	...other,
	label: 'Kokoro-FastAPI',
	matches: (answers) => ownsModels(answers, 'kokoro'),
	wantsNoKey: true,
};
