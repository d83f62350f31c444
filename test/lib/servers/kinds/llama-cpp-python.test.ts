import { responseFormatFields } from '../../../../lib/chat/request/parameters';
import { answer, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('llama-cpp-python', () => {
	testKind('llamaCppPython', {
		told: [
			['its list of models', { models: 'llama-cpp-python-0.3.36/models' }],
			[
				'its headers, without its list',
				{ models: { ...answer('llama-cpp-python-0.3.36/models', 200), json: undefined, text: '' } },
			],
		],
		notTold: [
			[
				'OpenAI, which has one of its headers',
				{ models: { ...answer({ data: [] }), headers: { 'openai-processing-ms': '5' } } },
				'other',
			],
		],
		chat: {
			...TAKES_EVERYTHING,
			fields: {
				...TAKES_EVERYTHING.fields,
				tool_choice: { type: 'function', function: { name: 'get_time' } },
			},
			tools: ['get_time', 'get_weather'],
			budget: undefined,
		},
		advice: {
			embeddingsOff: '--embedding true',
			moreContext: '--n_ctx 9000',
			toolParser: 'chatml-function-calling',
		},
	});

	it('gets a schema in the form that it takes', () => {
		const schema = { type: 'object' };
		const responseFormat = { type: 'jsonSchema' as const, schema };
		expect(responseFormatFields({ responseFormat }, 'llamaCppPython')).toEqual({
			response_format: { type: 'json_object', schema },
		});
		expect(answer('llama-cpp-python-0.3.36/json-schema-500')).toMatchObject({
			status: 500,
			text: expect.stringContaining("'json_object'") as string,
		});
	});
});
