import { listVoices } from '../../../lib/media/voices';
import { modelField } from '../../shared/model-field';
import { askOfModel } from '../any-server';
import type { LocalLlamaOperation } from '../operation';

export const audioGetVoices: LocalLlamaOperation = {
	option: {
		name: 'Get Voices',
		value: 'getVoices',
		action: 'Get the voices of a server',
		description: 'Lists the voices: speaches, Kokoro-FastAPI, llama-swap',
	},
	fields: [
		modelField(
			{ description: 'The model whose voices are listed. llama-swap wants it; others list all.' },
			{ search: 'searchSpeechModels', example: 'kokoro' },
		),
	],
	run: async (call) => {
		const voices = await askOfModel(
			call,
			async (at, { model, signal }) => await listVoices(at, model, signal),
		);
		return voices.map(({ id, name, more }) => ({ json: { id, name, ...more } }));
	},
};
