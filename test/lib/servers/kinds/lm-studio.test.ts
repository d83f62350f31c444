import { responseFormatFields } from '../../../../lib/chat/request/parameters';
import { answer, list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('LM Studio', () => {
	testKind('lmStudio', {
		told: [
			['LM Studio', { models: list({ id: 'qwen/qwen3-0.6b', owned_by: 'organization_owner' }) }],
			[
				'LM Studio, which answers missing routes with 200',
				{ apiVersion: { error: 'Unexpected endpoint or method. (GET /api/version)' } },
			],
		],
		notTold: [
			['another error with 200', { apiVersion: answer({ error: 'no such route' }) }, 'other'],
		],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'lm-studio', refusal: 'lmStudio' },
		advice: { toolParser: 'hammer badge', noModels: 'Start it with a model' },
	});

	it('gets the schema of any object in place of json_object, which it refuses', () => {
		expect(responseFormatFields({ responseFormat: { type: 'jsonObject' } }, 'lmStudio')).toEqual({
			response_format: {
				type: 'json_schema',
				json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
			},
		});
	});
});
