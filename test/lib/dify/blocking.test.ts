import { resultOfBlocking } from '../../../lib/dify/blocking';
import { recordedAnswer, recordedCases, RECORDED_VERSIONS } from '../../support/dify-recordings';

describe.each(RECORDED_VERSIONS)('blocking answers of Dify %s', (version) => {
	const runs = recordedCases(version).filter(
		({ name, url, body }) =>
			/^\/v1\/(?:chat-messages|completion-messages|workflows\/run)$/.test(url) &&
			body?.response_mode !== 'streaming' &&
			recordedAnswer(version, name).status === 200 &&
			!recordedAnswer(version, name).body.toString('utf8').startsWith('event:') &&
			!recordedAnswer(version, name).body.toString('utf8').startsWith('data:'),
	);

	test.each(runs.map(({ name }) => name))('%s', (name) => {
		const body = JSON.parse(recordedAnswer(version, name).body.toString('utf8')) as Record<string, unknown>;
		const data = (body.data ?? {}) as Record<string, unknown>;
		const result = resultOfBlocking(body);
		const status = body.event === 'message' ? 'succeeded' : (data.status ?? 'paused');
		expect(result.status).toBe(status);
		expect(result.taskId).toBe(body.task_id);
		if (typeof body.answer === 'string') expect(result.text).toBe(body.answer);
		expect(result.conversationId).toBe(body.conversation_id);
	});

	test('there are some', () => expect(runs.length).toBeGreaterThan(5));
});

test.each([{}, null, [], 'ok', { answer: 5 }, { data: {} }, { data: { status: '' } }])('%j is no result', (body) => {
	expect(resultOfBlocking(body)).toMatchObject({ status: 'failed', error: { cause: 'notFinished' } });
});
