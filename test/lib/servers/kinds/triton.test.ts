import { httpFailure } from '../../../../lib/errors/http-failure';
import { connectTo } from '../../../../lib/servers/connect';
import { takesOneTextOnly } from '../../../../lib/servers/text-refusals';
import { answer, list, TAKES_EVERYTHING, testKind, workaroundsFor } from './kind-suite';

const { temperature } = TAKES_EVERYTHING.fields;

describe('Triton', () => {
	testKind('triton', {
		told: [['its list', { models: 'triton-e1db8a6/models' }]],
		notTold: [['a list of another owner', { models: list({ id: 'm', owned_by: 'me' }) }, 'other']],
		chat: {
			...TAKES_EVERYTHING,
			fields: {
				temperature,
				tool_choice: { type: 'function', function: { name: 'get_time' } },
			},
			tools: ['get_time', 'get_weather'],
			budget: undefined,
			notes: [
				'This server (Triton) ignores these options, so they were not sent: Top K, Min P, Repeat Penalty, Parallel Tool Calls, Cache Prompt, Chat Template Arguments, GBNF Grammar',
			],
		},
		advice: {
			missingModel: 'model repository',
			embeddingsOff: 'embedding model',
			rerankOff: 'no route',
			moreContext: '9000 or more',
			toolParser: '--tool-call-parser',
		},
	});

	it.each([
		['unknown-model', 'modelNotFound'],
		['embeddings-list-422', 'badRequest'],
		['tools-without-parser', 'toolsUnsupported'],
		['restricted', 'unauthorized'],
	])('the recorded refusal %s is of the kind %s', (recording, kind) => {
		expect(failureOf(recording).kind).toBe(kind);
	});

	it('takes no schema, and one text for a vector', () => {
		expect(workaroundsFor('triton-e1db8a6/schema-422')).toEqual(['schemaAsJsonObject']);
		expect(takesOneTextOnly(failureOf('embeddings-list-422'))).toBe(true);
	});
});

function failureOf(recording: string) {
	const { status, text: body } = answer(`triton-e1db8a6/${recording}`);
	const connection = connectTo({ baseUrl: 'http://127.0.0.1:9000' });
	const context = connection.contextOf(`${connection.url.api}/chat/completions`);
	return httpFailure({ status, body, contentType: 'application/json' }, context);
}
