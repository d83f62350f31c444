import { anyHeader } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** The server of whisper.cpp (seen: 233fe1f): one model, no list of models, no key; it names itself in every answer. */
export const whisperCpp: ServerKind = {
	...openAiCompatible,
	label: 'whisper.cpp',
	recognizes: (answers) => anyHeader(answers, 'server', /^whisper\.cpp/i),
	key: { isNeverNeeded: true },
	models: { ignoresName: true, isUnlisted: true },
	media: { knownFor: ['transcription'] },
	// A proxy may remove the `server` header.
	signs: { refusal: /^File Not Found \(/ },
	words: {
		...openAiCompatible.words,
		noModels: 'It has one model and no list of it: leave the model empty.',
	},
};
