import { anyModel } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** Values of `task` in its list (speaches-ai/speaches, api_types.py). */
const TASKS: ReadonlySet<unknown> = new Set([
	'automatic-speech-recognition',
	'text-to-speech',
	'speaker-embedding',
	'voice-activity-detection',
	'speaker-diarization',
]);

/** speaches (seen: 870e1e1): transcripts and speech. It lists the installed models with their tasks. */
export const speaches: ServerKind = {
	...other,
	label: 'speaches',
	matches: (answers) => anyModel(answers, ({ task }) => TASKS.has(task)),
	mediaNeedsModel: true,
	installsModels: true,
	modelUses: {
		in: 'entry',
		name: 'task',
		words: { transcription: 'automatic-speech-recognition', speech: 'text-to-speech' },
	},
	// An empty list does not identify it.
	refusalWords: /is not installed locally/i,
	advice: {
		...other.advice,
		noModels: 'Install a model: Local Llama, resource Model, operation Pull.',
		missingModel: (model) =>
			`install it on the server: Local Llama, resource Model, operation Pull (or: curl -X POST the Base URL + /v1/models/${model}).`,
	},
};
