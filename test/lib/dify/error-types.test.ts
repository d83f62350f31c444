/** The types of Dify's errors: by code, by what a route is about, and by the words of model providers. */
import { PROVIDER_WORDS, toErrorType } from '../../../lib/dify/error-types';
import { explainRejectedRun } from '../../../lib/dify/run/start-run';
import { toDifyResponseError } from '../../../lib/dify/response-error';
import { fixture } from '../../support/servers/streams';
import { reword } from '../../support/servers/reword';

/** The message of a recorded error, in a response or in an event. */
function readMessage(source: string): string {
	const text = fixture(source).toString('utf8');
	const [literal] = /"(?=message"|error")(?:message|error)":\s?"((?:[^"\\]|\\.)*)"/.exec(text)!;
	return (JSON.parse(`{${literal}}`) as { message?: string; error?: string }).message ?? '';
}

test.each(
	PROVIDER_WORDS.flatMap(({ type, seen }) => seen.map((source) => [source, type] as const)),
)('%s is an error of type %s', (source, type) => {
	const message = readMessage(source);
	expect({ message, type: toErrorType({ message }, { status: 400 }) }).toEqual({ message, type });
});

test('each row of words is needed: without it, one of its recordings has another type', () => {
	const needless = PROVIDER_WORDS.filter((row) => {
		const others = PROVIDER_WORDS.filter((other) => other !== row);
		const findType = (source: string) =>
			others.find(({ words }) => words.test(readMessage(source)))?.type;
		return row.seen.every((source) => findType(source) === row.type);
	});
	expect(needless).toEqual([]);
	expect(PROVIDER_WORDS.length).toBeLessThanOrEqual(6);
});

const ID = '1c7e55fb-1ba2-4e10-81b5-30addcea2276';

describe('what a 404 has not found is what its route is about, in any words', () => {
	test.each([
		[`conversations/${ID}`, 'conversationNotFound'],
		[`conversations/${ID}/name`, 'conversationNotFound'],
		[`conversations/${ID}/variables`, 'conversationNotFound'],
		[`conversations/${ID}/variables/${ID}`, 'notFound'],
		[`messages?conversation_id=${ID}&user=u`, 'conversationNotFound'],
		[`messages/${ID}/feedbacks`, 'messageNotFound'],
		[`messages/${ID}/suggested`, 'messageNotFound'],
		[`workflows/run/${ID}`, 'runNotFound'],
		[`workflow/${ID}/events?user=u`, 'runNotFound'],
		[`workflows/${ID}/run`, 'workflowVersionNotFound'],
		['form/human_input/token', 'formNotFound'],
		[`datasets/${ID}`, 'datasetNotFound'],
		[`datasets/${ID}/retrieve`, 'datasetNotFound'],
		[`datasets/${ID}/documents/${ID}`, 'notFound'],
		['chat-messages', 'notFound'],
	])('%s: %s', (path, type) => {
		const url = `http://dify/v1/${path}`;
		const text = JSON.stringify({ code: 'not_found', message: 'Nothing here.', status: 404 });
		for (const body of [text, reword(text, { seed: 1 })]) {
			const error = toDifyResponseError(
				{ status: 404, url, headers: {}, text: body },
				{ url, service: 'dify' },
			)!;
			const { message } = JSON.parse(body) as { message: string };
			expect(error).toMatchObject({ type, message: message.replace(/\.$/, '') });
		}
	});
});

describe('a run that Dify refused is about what was sent with it', () => {
	const FILE = { type: 'image', transfer_method: 'remote_url', url: 'http://10.0.0.7/a.png' };

	const refuse = (status: number, code: string, message: string) =>
		toDifyResponseError(
			{
				status,
				url: 'http://dify/v1/chat-messages',
				headers: {},
				text: JSON.stringify({ code, message, status }),
			},
			{ url: 'http://dify/v1/chat-messages', service: 'dify' },
		)!;

	test.each<[string, number, string, string, object, string]>([
		['a conversation', 404, 'not_found', 'Qrst.', { conversation_id: ID }, 'conversationNotFound'],
		['a version', 404, 'not_found', 'Qrst.', { workflow_id: ID }, 'workflowVersionNotFound'],
		[
			'a version in a conversation',
			404,
			'not_found',
			'Qrst.',
			{ workflow_id: ID, conversation_id: ID },
			'workflowVersionNotFound',
		],
		['neither', 404, 'not_found', 'Qrst.', {}, 'notFound'],
		['a file', 400, 'invalid_param', `Qrst ${FILE.url}`, { files: [FILE] }, 'fileUnreachable'],
		[
			'a file of a form',
			500,
			'internal_server_error',
			`Qrst '${FILE.url}' tuv`,
			{ inputs: { docs: [FILE] } },
			'fileUnreachable',
		],
		['another URL', 400, 'invalid_param', 'Qrst http://b/c', { files: [FILE] }, 'invalidParam'],
		['a value', 400, 'invalid_param', 'Qrst', { conversation_id: ID }, 'invalidParam'],
	])('%s', (_case, status, code, message, sent, type) => {
		const error = refuse(status, code, message);
		const explained = explainRejectedRun(error, sent as never);
		expect(explained.type).toBe(type);
		expect(explained.message).toBe(error.message);
	});

	test('after the run has begun it is not', () => {
		const result = { status: 'failed', text: 'Half', warnings: [] };
		const begun = refuse(404, 'not_found', 'Qrst.').copyWith({ result });
		expect(explainRejectedRun(begun, { conversation_id: ID })).toBe(begun);
	});
});
