import { anyModel } from './evidence';
import { installModel, uninstallModel } from './install-model';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

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
	...openAiCompatible,
	label: 'speaches',
	recognizes: (answers) => anyModel(answers, ({ task }) => TASKS.has(task)),
	models: {
		pull: installModel,
		remove: uninstallModel,
		uses: {
			in: 'entry',
			name: 'task',
			words: { transcription: 'automatic-speech-recognition', speech: 'text-to-speech' },
		},
	},
	media: { knownFor: ['transcription', 'speech'], needsModel: true },
	// An empty list does not identify it.
	signs: { refusal: /is not installed locally/i },
	words: {
		...openAiCompatible.words,
		noModels: 'Install a model: Local Llama, resource Model, operation Pull.',
		missingModel: (model) =>
			`install it on the server: Local Llama, resource Model, operation Pull (or: curl -X POST the Base URL + /v1/models/${model}).`,
	},
};
