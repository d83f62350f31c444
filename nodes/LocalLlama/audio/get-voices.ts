import { listVoices } from '../../../lib/media/voices';
import { modelField } from '../../shared/model-field';
import { atAnyServer } from '../any-server';
import type { LocalLlamaOperation } from '../operation';

export const audioGetVoices: LocalLlamaOperation = {
	option: {
		name: 'Get Voices',
		value: 'getVoices',
		action: 'Get the voices of a server',
		description: 'Lists who can speak: speaches, Kokoro-FastAPI, llama-swap',
	},
	fields: [
		modelField(
			{ description: 'The model whose voices are listed. llama-swap wants it; others list all.' },
			{ search: 'searchSpeechModels', example: 'kokoro' },
		),
	],
	run: async (call) =>
		(
			await atAnyServer(
				call,
				call.parameters.name('model'),
				async (connection, { model, signal }) => await listVoices(connection, model, signal),
			)
		).map(({ id, name, more }) => ({
			json: { id, name, ...more },
		})),
};
