import { resultOfBlocking } from '../../../../lib/dify/run/blocking-answer';
import { RECORDED_VERSIONS, recordedAnswer, recordedCases } from '../../../support/dify-recordings';
import { IDS } from '../play';

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
		const body = JSON.parse(recordedAnswer(version, name).body.toString('utf8')) as Record<
			string,
			unknown
		>;
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

test.each([{}, null, [], 'ok', { answer: 5 }, { data: {} }, { data: { status: '' } }])(
	'%j is no result',
	(body) => {
		expect(resultOfBlocking(body)).toMatchObject({
			status: 'failed',
			error: { cause: 'notFinished' },
		});
	},
);

describe('blocking answers', () => {
	const answer = {
		event: 'message',
		task_id: 't',
		id: 'm',
		message_id: 'm',
		conversation_id: 'c',
		mode: 'chat',
		answer: 'Hello',
		metadata: {
			annotation_reply: null,
			retriever_resources: [{ position: 1 }],
			usage: { total_tokens: 3, total_price: '0.0001' },
		},
		created_at: 1705398420,
	};

	test('case 13: answer, ids and usage', () => {
		expect(resultOfBlocking(answer)).toMatchObject({
			...IDS,
			status: 'succeeded',
			text: 'Hello',
			createdAt: 1705398420,
			usage: { total_tokens: 3 },
			retrieverResources: [{ position: 1 }],
			error: undefined,
		});
	});

	test('case 31: escaped text is text, prices stay decimal strings', () => {
		const usage = '{"total_tokens":1,"prompt_unit_price":"0.0000010"}';
		const body: unknown = JSON.parse(
			`{"answer":"\\u4f60\\u597d","message_id":"m","metadata":{"usage":${usage}}}`,
		);
		const { text, usage: read } = resultOfBlocking(body);
		expect([text, read?.prompt_unit_price]).toEqual(['你好', '0.0000010']);
	});

	test('case 64: a failed workflow run comes with HTTP 200', () => {
		const data = {
			id: 'r',
			workflow_id: 'w',
			status: 'failed',
			outputs: {},
			error: 'boom',
			total_tokens: 0,
		};
		expect(resultOfBlocking({ task_id: 't', workflow_run_id: 'r', data })).toMatchObject({
			status: 'failed',
			workflowRunId: 'r',
			taskId: 't',
			error: { cause: 'runFailed', message: 'boom' },
			workflow: { workflowId: 'w', outputs: {} },
		});
	});

	test('case 65: partial success is a success with a warning', () => {
		const data = {
			id: 'r',
			status: 'partial-succeeded',
			outputs: { text: 'ok' },
			error: null,
			exceptions_count: 2,
		};
		const result = resultOfBlocking({ task_id: 't', workflow_run_id: 'r', data });
		expect(result).toMatchObject({ status: 'partial-succeeded', text: 'ok', error: undefined });
		expect(result.warnings).toEqual([
			'2 node(s) of the workflow failed and were handled by their error branch.',
		]);
	});

	test('case 60, blocking: a paused chatflow and a paused workflow', () => {
		const reasons = [
			{
				TYPE: 'human_input_required',
				form_id: 'f',
				node_id: 'n',
				form_token: 'k',
				form_content: 'OK?',
			},
		];
		const data = {
			workflow_run_id: 'r',
			id: 'm',
			paused_nodes: ['n'],
			reasons,
			status: 'paused',
			answer: 'so far',
		};
		const chatflow = resultOfBlocking({
			...answer,
			event: 'workflow_paused',
			answer: 'so far',
			workflow_run_id: 'r',
			data,
		});
		expect(chatflow).toMatchObject({
			status: 'paused',
			text: 'so far',
			pause: { workflowRunId: 'r', forms: [{ formToken: 'k' }] },
		});
		const workflow = resultOfBlocking({
			task_id: 't',
			workflow_run_id: 'r',
			data: { id: 'r', status: 'paused', reasons },
		});
		expect(workflow).toMatchObject({ status: 'paused', pause: { workflowRunId: 'r', reasons } });
	});

	test('an answer without a result (202, null, list) is a failure with the ids that it has', () => {
		expect(resultOfBlocking({ task_id: 't', workflow_run_id: 'r' })).toMatchObject({
			status: 'failed',
			taskId: 't',
			workflowRunId: 'r',
			error: { cause: 'notFinished', message: 'Dify answered without a result' },
		});
		for (const body of [null, [], 'text', {}])
			expect(resultOfBlocking(body).error?.cause).toBe('notFinished');
	});
});
