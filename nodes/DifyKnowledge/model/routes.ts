import { modelsIn, type ModelType } from '../../../lib/dify/knowledge/models';
import { baseRoutes } from '../../../lib/dify/knowledge/routes';
import { knowledgeOperation } from '../../shared/dify/route-operation';
import { booleanField, choiceField, choices } from '../../shared/field-kinds';

export const modelGetAll = knowledgeOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description: 'The models that Dify has for knowledge bases and apps',
	},
	fields: [
		choiceField('Model Type', 'modelType', 'text-embedding', {
			options: choices({
				'text-embedding': 'Embedding',
				llm: 'Language Model',
				moderation: 'Moderation',
				rerank: 'Rerank',
				speech2text: 'Speech to Text',
				tts: 'Text to Speech',
			}),
		}),
		booleanField('Only Usable', 'onlyActive', true, {
			description:
				'Whether to leave out models that Dify cannot use now, for example for want of a key',
		}),
	],
	route: baseRoutes.models,
	values: { model_type: (parameters) => parameters.choice<ModelType>('modelType') },
	items: (providers, { model_type }, parameters) => {
		const models = modelsIn(providers, model_type);
		if (!parameters.flag('onlyActive')) return models;
		return models.filter(({ status }) => status === 'active');
	},
});
