import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** Kokoro-FastAPI (remsky/Kokoro-FastAPI, seen: 26eec06): speech. */
export const kokoro: ServerKind = {
	...openAiCompatible,
	label: 'Kokoro-FastAPI',
	recognizes: (answers) => ownsModels(answers, 'kokoro'),
	key: { isNeverNeeded: true },
	media: { knownFor: ['speech'] },
};
