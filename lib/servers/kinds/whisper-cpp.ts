import { anyHeader } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** The server of whisper.cpp (seen: 233fe1f): one model, no list of models, no key; it names itself in every answer. */
export const whisperCpp: ServerKind = {
	...other,
	label: 'whisper.cpp',
	matches: (answers) => anyHeader(answers, 'server', /^whisper\.cpp/i),
	wantsNoKey: true,
	ignoresModelName: true,
	transcribesAtInference: true,
	// A proxy may remove the `server` header.
	refusalWords: /^File Not Found \(/,
	advice: {
		...other.advice,
		noModels: 'whisper.cpp has one model and no list of it: leave the model empty.',
	},
};
