import { httpFailure } from '../../../../lib/errors/http-failure';
import { connectTo } from '../../../../lib/servers/connect';
import { takesOneTextOnly, tooLongIn } from '../../../../lib/servers/text-refusals';
import { httpFixture } from '../../../support/streams';
import { answerOf, assembleBytes } from '../../chat/assemble';
import { answer, list, TAKES_EVERYTHING, testKind } from './kind-suite';

const { temperature, top_k, min_p, repeat_penalty, chat_template_kwargs, tool_choice } =
	TAKES_EVERYTHING.fields;

describe('ms-swift', () => {
	testKind('msSwift', {
		told: [['its list', { models: 'ms-swift-4.6.0/models' }]],
		notTold: [['a list of another owner', { models: list({ id: 'm', owned_by: 'me' }) }, 'other']],
		chat: {
			...TAKES_EVERYTHING,
			fields: {
				temperature,
				top_k,
				min_p,
				repetition_penalty: repeat_penalty,
				chat_template_kwargs,
				tool_choice,
			},
			budget: undefined,
			notes: [
				'This server (ms-swift) ignores these options, so they were not sent: Parallel Tool Calls, Cache Prompt, GBNF Grammar',
			],
		},
		advice: {
			missingModel: '--served_model_name',
			embeddingsOff: '--task_type embedding',
			rerankOff: 'no route',
			moreContext: 'reads 9000 tokens',
			toolParser: '--agent_template',
		},
	});

	it('streams calls as text and returns them as well: they are calls, and no text', () => {
		const properties = { city: { type: 'string' } };
		const tools = [{ name: 'get_time', parameters: { type: 'object', properties } }];
		const { body } = httpFixture('ms-swift-4.6.0/tool-stream.http');
		const assembled = assembleBytes([body], { tools, toolsInText: tools });
		expect(assembled.text).toBe('');
		expect(answerOf(assembled).toolCalls.map((call) => call.arguments)).toEqual([
			'{"city": "Berlin"}',
			'{"city": "Tokyo"}',
		]);
		expect(assembled.assembly.unrunCall).toBeUndefined();
	});

	it.each([
		['wrong-key', 'unauthorized'],
		['unknown-model', 'modelNotFound'],
		['too-long', 'contextOverflow'],
		['system-behind', 'templateRejected'],
		['embeddings-list-422', 'badRequest'],
	])('the recorded refusal %s is of the kind %s', (recording, kind) => {
		expect(failureOf(recording).kind).toBe(kind);
	});

	it('refuses a list of texts for vectors in words that are understood', () => {
		expect(takesOneTextOnly(failureOf('embeddings-list-422'))).toBe(true);
	});

	it('a text that leaves no room for an answer does not fit either', () => {
		const message =
			'Input length (3087) leaves no room for generation with max_model_len (2048) and max_tokens_offset (0). Please shorten the input or increase max_model_len.';
		expect(failureWith(400, JSON.stringify({ message, object: 'error' })).kind).toBe(
			'contextOverflow',
		);
	});

	it('names how long a text is, and how long it may be', () => {
		const error = failureOf('too-long');
		expect(error.message).toBe('The prompt needs 3087 tokens, but a slot of the server has 2048');
		expect(tooLongIn(error)).toEqual({ tokens: 3087, limit: 2048 });
	});
});

function failureOf(recording: string) {
	const { status, text } = answer(`ms-swift-4.6.0/${recording}`);
	return failureWith(status, text);
}

function failureWith(status: number, body: string) {
	const connection = connectTo({ baseUrl: 'http://127.0.0.1:8000' });
	const context = connection.contextOf(`${connection.url.api}/chat/completions`);
	return httpFailure({ status, body, contentType: 'application/json' }, context);
}
