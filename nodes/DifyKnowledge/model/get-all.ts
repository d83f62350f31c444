import { listModels, type ModelType } from '../../../lib/dify/knowledge/models';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField, choiceField } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';

export const modelGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description: 'The models that Dify has for knowledge bases and apps',
	},
	fields: [
		choiceField('Model Type', 'modelType', 'text-embedding', {
			options: [
				{ name: 'Embedding', value: 'text-embedding' },
				{ name: 'Language Model', value: 'llm' },
				{ name: 'Moderation', value: 'moderation' },
				{ name: 'Rerank', value: 'rerank' },
				{ name: 'Speech to Text', value: 'speech2text' },
				{ name: 'Text to Speech', value: 'tts' },
			],
		}),
		booleanField('Only Usable', 'onlyActive', true, {
			description:
				'Whether to leave out models that Dify cannot use now, for example for want of a key',
		}),
	],
	run: async ({ api, parameters }) => {
		const models = await listModels(api, parameters.choice<ModelType>('modelType'));
		return itemsOf(
			parameters.flag('onlyActive') ? models.filter(({ status }) => status === 'active') : models,
		);
	},
};
