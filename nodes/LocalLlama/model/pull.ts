import { pullModel } from '../../../lib/servers/manage/model-work';
import { booleanField, optionsCollection, stringField } from '../../shared/field-kinds';
import { streamingField } from '../options';
import type { LocalLlamaOperation } from '../operation';
import {
	allowChangesField,
	idleLimitField,
	idleMsIn,
	progressTyping,
	requireAllowed,
	connectionWithoutQueue,
	waitField,
} from './fields';

export const modelPull: LocalLlamaOperation = {
	option: {
		name: 'Pull',
		value: 'pull',
		action: 'Download a model onto the server',
		description:
			'Ollama, the router of llama-server and speaches. In a chat, the progress is typed.',
	},
	fields: [
		stringField('Model Name', 'modelName', {
			required: true,
			placeholder: 'e.g. qwen3:8b',
			description:
				'Ollama: a name of its library, or hf.co/USER/REPOSITORY:Q4_K_M. Router and speaches: a repository on Hugging Face.',
		}),
		optionsCollection([
			allowChangesField,
			idleLimitField,
			streamingField,
			booleanField('Insecure Registry', 'insecure', false, {
				description: 'Whether Ollama may download from a registry of your own without TLS',
			}),
			waitField(
				'Whether to wait until the model is there. Ollama and speaches end a download that nobody waits for.',
			),
		]),
	],
	run: async (call) => {
		requireAllowed(call);
		const { parameters, signal } = call;
		const pulled = await pullModel(await connectionWithoutQueue(call), {
			model: parameters.name('modelName'),
			wait: parameters.flag('options.wait', true),
			insecure: parameters.flag('options.insecure', false),
			idleMs: idleMsIn(call),
			signal,
			onProgress: progressTyping(call),
		});
		return [{ json: pulled }];
	},
};
