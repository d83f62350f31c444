import { ownsModels } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

/** Kokoro-FastAPI (remsky/Kokoro-FastAPI, seen: 26eec06): speech. */
export const kokoro: ServerTraits = {
	...other,
	label: 'Kokoro-FastAPI',
	matches: (answers) => ownsModels(answers, 'kokoro'),
	wantsNoKey: true,
};
