import {
	deleteConversation,
	latestConversation,
	listConversations,
	listMessages,
	ownsConversation,
	renameConversation,
	suggestedQuestions,
} from '../../../lib/dify/conversations';
import { difyClient } from '../../../lib/dify/credentials';
import { listFeedback, rateMessage, revokeRating } from '../../../lib/dify/feedback';
import { optionalUuid, uuid } from '../../../lib/dify/ids';
import { RUN_ROUTES, startRun, stopRun } from '../../../lib/dify/run';
import { uploadFile } from '../../../lib/dify/upload';
import { listVariables, updateVariable } from '../../../lib/dify/variables';
import { SIM_VERSIONS, knowledgeKey, type DifySim } from '../../servers/dify';
import { ask, waitFor } from './ask';
import { UNKNOWN_ID, calls, clientOf, failureOf, fileOf, say, startApp, startSim } from './client';
import { playText } from './play';

describe.each(SIM_VERSIONS)('workflow and completion apps as far as the client goes, %s', (version) => {
	test('case 64: a failed run is a failure, streamed or with HTTP 200', async () => {
		for (const stream of [{}, { blockingInstead: true }]) {
			const sim = await startApp(
				version,
				{ mode: 'workflow', reply: () => ({ steps: [{ text: 'par' }], fail: 'boom' }) },
				{ stream },
			);
			const failed = await failureOf(startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1'));
			expect(failed).toMatchObject({ kind: 'runFailed', facts: { workflowRunId: sim.runs[0]!.workflowRunId } });
			expect(failed.serverText).toContain('boom');
		}
	});

	test('cases 65 and 67: outputs win, a partial success is one with a warning', async () => {
		const sim = await startApp(version, {
			mode: 'workflow',
			reply: () => ({ steps: [{ text: 'draft' }], outputs: { text: 'final' }, exceptions: 1 }),
		});
		const result = await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1');
		expect(result).toMatchObject({ status: 'partial-succeeded', text: 'final', warnings: [expect.any(String)] });
	});

	test('case 67: the end without workflow_finished keeps the run id', async () => {
		const sim = await startApp(
			version,
			{ mode: 'workflow', reply: () => ({ steps: [{ text: 'a' }, { text: 'b' }] }) },
			{ stream: { cut: { events: 2, how: 'eof' } } },
		);
		const failed = await failureOf(startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1'));
		expect(failed).toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'a',
			facts: { workflowRunId: sim.runs[0]!.workflowRunId },
		});
	});

	test('cases 66 and 68: a run that is not there', async () => {
		const sim = await startSim({ version });
		const client = clientOf(sim, 'workflow');
		const asked = client.get(`/workflows/run/${UNKNOWN_ID}`);
		if (version === '1.12') expect(Object.values(await asked).every((value) => value === null)).toBe(true);
		else expect(await failureOf(asked)).toMatchObject({ status: 404, kind: 'runNotFound' });
		expect(await failureOf(client.get(`/workflow/${UNKNOWN_ID}/events`, { user: 'u1' }))).toMatchObject({
			status: 404,
			kind: version === '1.12' ? 'routeNotFound' : 'runNotFound',
		});
	});

	test.each(['workflow', 'advanced-chat'] as const)(
		'case 68: the replay of a finished run of %s gives its result, to its user only',
		async (mode) => {
			const sim = await startSim({ version });
			const route = mode === 'workflow' ? RUN_ROUTES.workflow : RUN_ROUTES.chat;
			const live = await startRun(
				clientOf(sim, mode),
				route,
				{ inputs: {}, ...(mode === 'workflow' ? {} : { query: 'hi' }) },
				'u1',
			);
			const replay = async (user: string) =>
				await ask(sim, 'GET', `/workflow/${live.workflowRunId}/events?user=${user}`, { mode });
			if (version === '1.12') return expect((await replay('u1')).status).toBe(404);
			const { result } = playText((await replay('u1')).text);
			expect(result).toMatchObject({
				status: 'succeeded',
				text: live.text,
				workflowRunId: live.workflowRunId,
				workflow: { outputs: live.workflow!.outputs },
			});
			expect((await replay('u2')).status).toBe(404);
		},
	);

	test('case 69: a stop names the user and sends a body; Dify says yes to any task', async () => {
		const sim = await startApp(version, {
			mode: 'workflow',
			reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }),
		});
		const client = clientOf(sim, 'workflow');
		const running = startRun(client, RUN_ROUTES.workflow, { inputs: {} }, 'u1');
		await waitFor(() => (sim.runs[0]?.events.length ?? 0) >= 2);
		expect(await stopRun(client, RUN_ROUTES.workflow, sim.runs[0]!.taskId, 'u1')).toBe(true);
		expect((await running).status).toBe('stopped');
		expect(await stopRun(client, RUN_ROUTES.workflow, 'no such task', 'u1')).toBe(true);
		expect(sim.requests.at(-1)).toMatchObject({ path: '/workflows/tasks/no%20such%20task/stop', json: { user: 'u1' } });
		expect(await failureOf(client.send('POST', '/workflows/tasks/x/stop', {}))).toMatchObject({
			status: 400,
			kind: 'missingUser',
		});
	});

	test('a text generator answers, and has no conversation', async () => {
		const sim = await startSim({ version });
		const result = await startRun(
			clientOf(sim, 'completion'),
			RUN_ROUTES.completion,
			{ inputs: {}, query: 'hi' },
			'u1',
		);
		expect(result).toMatchObject({ status: 'succeeded', text: 'You said: hi', conversationId: undefined });
	});
});

describe.each(SIM_VERSIONS)('feedback, %s', (version) => {
	async function answered(
		over: { user?: string } = {},
	): Promise<{ sim: DifySim; messageId: string; conversationId: string }> {
		const sim = await startSim({ version });
		const { result } = await say(clientOf(sim), over);
		return { sim, messageId: result.messageId!, conversationId: result.conversationId! };
	}
	const stored = (sim: DifySim) => sim.app('chat').feedbacks.map(({ rating, content }) => ({ rating, content }));

	test('case 70: rating again without a text keeps it, or erases it on request', async () => {
		const { sim, messageId, conversationId } = await answered();
		const client = clientOf(sim);
		const rate = { messageId, user: 'u1', earlierContent: 'keep' as const };
		expect(await rateMessage(client, { ...rate, rating: 'like' })).toEqual({
			messageId,
			rating: 'like',
			content: null,
		});
		await rateMessage(client, { ...rate, rating: 'dislike', content: 'too long <b>' });
		expect(stored(sim)).toEqual([{ rating: 'dislike', content: 'too long <b>' }]);
		expect(await rateMessage(client, { ...rate, rating: 'like' })).toEqual({
			messageId,
			rating: 'like',
			content: 'too long <b>',
		});
		expect(await rateMessage(client, { ...rate, rating: 'dislike', conversationId })).toMatchObject({
			content: 'too long <b>',
		});
		expect(stored(sim)).toEqual([{ rating: 'dislike', content: 'too long <b>' }]);
		await rateMessage(client, { ...rate, rating: 'like', earlierContent: 'erase' });
		expect(stored(sim)).toEqual([{ rating: 'like', content: null }]);
	});

	test('with the conversation, one question tells that there is no earlier text', async () => {
		const { sim, messageId, conversationId } = await answered();
		await rateMessage(clientOf(sim), { messageId, user: 'u1', rating: 'like', earlierContent: 'keep', conversationId });
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 0]);
		expect(
			await failureOf(
				rateMessage(clientOf(sim), {
					messageId,
					user: 'u1',
					rating: 'like',
					earlierContent: 'keep',
					conversationId: UNKNOWN_ID,
				}),
			),
		).toMatchObject({ kind: 'conversationNotFound' });
	});

	test('in a long conversation no more of it is read than up to the message', async () => {
		const { sim, messageId, conversationId } = await answered();
		const app = sim.app('chat');
		const rate = async (id: string) =>
			await rateMessage(clientOf(sim), {
				messageId: id,
				user: 'u1',
				rating: 'like',
				earlierContent: 'keep',
				conversationId,
			});
		for (let at = 0; at < 250; at++) sim.store.addMessage(app, app.conversations.get(conversationId)!);
		const newest = [...app.messages.keys()].at(-1)!;
		await rate(newest);
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([1, 0]);
		await rate(messageId);
		expect([calls(sim, '/messages', 'GET'), calls(sim, '/app/feedbacks', 'GET')]).toEqual([4, 0]);
	});

	test("the team's own rating in the console is not the user's", async () => {
		const { sim, messageId, conversationId } = await answered();
		sim.app('chat').feedbacks.push({
			id: 'f',
			conversationId,
			messageId,
			rating: 'like',
			content: 'from the team',
			source: 'admin',
			userId: null,
			createdAt: 0,
			updatedAt: 0,
		});
		expect(
			await rateMessage(clientOf(sim), { messageId, user: 'u1', rating: 'like', earlierContent: 'keep' }),
		).toMatchObject({ content: null });
	});

	test('an earlier text is found behind many pages', async () => {
		const { sim, messageId, conversationId } = await answered();
		const feedbacks = sim.app('chat').feedbacks;
		await rateMessage(clientOf(sim), {
			messageId,
			user: 'u1',
			rating: 'dislike',
			content: 'old',
			earlierContent: 'erase',
		});
		for (let at = 0; at < 250; at++)
			feedbacks.push({ ...feedbacks[0]!, id: `f${at}`, messageId: UNKNOWN_ID, conversationId });
		expect(
			await rateMessage(clientOf(sim), { messageId, user: 'u1', rating: 'like', earlierContent: 'keep' }),
		).toMatchObject({ content: 'old' });
		expect(calls(sim, '/app/feedbacks', 'GET')).toBe(3);
	});

	test('case 71: taking back, and taking back nothing', async () => {
		const { sim, messageId } = await answered();
		const client = clientOf(sim);
		await rateMessage(client, { messageId, user: 'u1', rating: 'like', earlierContent: 'erase' });
		expect(await revokeRating(client, messageId, 'u1', false)).toBe(true);
		expect(stored(sim)).toEqual([]);
		const failed = await failureOf(revokeRating(client, messageId, 'u1', false));
		expect(failed).toMatchObject({ status: 400, kind: 'nothingToRevoke' });
		expect(await revokeRating(client, messageId, 'u1', true)).toBe(false);
	});

	test('case 72: messages of others', async () => {
		const { sim, messageId } = await answered({ user: 'u2' });
		const client = clientOf(sim);
		const web = sim.store.addMessage(
			sim.app('chat'),
			sim.store.addConversation(sim.app('chat'), 'u1', { source: 'webapp' }),
		);
		for (const id of [messageId, web.id, UNKNOWN_ID]) {
			const failed = await failureOf(
				rateMessage(client, { messageId: id, user: 'u1', rating: 'like', earlierContent: 'erase' }),
			);
			expect(failed).toMatchObject({ status: 404, kind: 'messageNotFound' });
			expect(failed.remedy).toContain('user');
			expect(await failureOf(revokeRating(client, id, 'u1', true))).toMatchObject({ kind: 'messageNotFound' });
		}
	});

	test('case 73: an id of another form is refused before it is sent', async () => {
		for (const id of ['abc', '', '  ', undefined, null, 7])
			expect(() => uuid(id, 'message ID')).toThrow(expect.objectContaining({ kind: 'invalidId' }) as Error);
		expect(uuid(` ${UNKNOWN_ID.toUpperCase()} `, 'message ID')).toBe(UNKNOWN_ID);
		expect([optionalUuid(' ', 'x'), optionalUuid(null, 'x'), optionalUuid(UNKNOWN_ID, 'x')]).toEqual([
			undefined,
			undefined,
			UNKNOWN_ID,
		]);
		const sim = await startSim({ version });
		// What would happen otherwise: a page of HTML.
		expect(
			await failureOf(clientOf(sim).send('POST', '/messages/abc/feedbacks', { rating: 'like', user: 'u1' })),
		).toMatchObject({ status: 404, kind: 'routeNotFound' });
	});

	test('case 74: what Dify says to a rating it does not know, and to a missing user', async () => {
		const { sim, messageId } = await answered();
		for (const rating of ['LIKE', '']) {
			expect(
				await failureOf(clientOf(sim).send('POST', `/messages/${messageId}/feedbacks`, { rating, user: 'u1' })),
			).toMatchObject({ status: 400, kind: 'invalidParam' });
		}
		expect(
			await failureOf(clientOf(sim).send('POST', `/messages/${messageId}/feedbacks`, { rating: 'like' })),
		).toMatchObject({ kind: 'missingUser' });
	});

	test('case 75: pages until a short one', async () => {
		const { sim, messageId, conversationId } = await answered();
		const client = clientOf(sim);
		await rateMessage(client, { messageId, user: 'u1', rating: 'like', earlierContent: 'erase' });
		const feedbacks = sim.app('chat').feedbacks;
		while (feedbacks.length < 202) feedbacks.push({ ...feedbacks[0]!, id: `f${feedbacks.length}`, conversationId });
		expect(await listFeedback(client, 'all')).toHaveLength(202);
		// Two full pages, and an empty one that says so.
		expect(calls(sim, '/app/feedbacks', 'GET')).toBe(3);
		expect(await listFeedback(client, 150)).toHaveLength(150);
		const [newest] = await listFeedback(client, 1);
		expect(newest).toMatchObject({ id: 'f201', created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string });
		expect(
			sim.requests
				.filter(({ path }) => path === '/app/feedbacks')
				.every(({ query }) => Number(query.get('limit')) <= 101),
		).toBe(true);
		expect(await failureOf(client.get('/app/feedbacks', { limit: 102 }))).toMatchObject({ status: 400 });
	});

	test('case 76: the answer of a text generator can be rated', async () => {
		const sim = await startSim({ version });
		const client = clientOf(sim, 'completion');
		const { messageId } = await startRun(client, RUN_ROUTES.completion, { inputs: {} }, 'u1');
		expect(
			await rateMessage(client, { messageId: messageId!, user: 'u1', rating: 'like', earlierContent: 'keep' }),
		).toMatchObject({ rating: 'like' });
	});

	test('what would do more, or say something else, the second time is sent once', async () => {
		for (const fault of [{ how: 'reset' }, { status: 503, body: 'x' }] as const) {
			const { sim, messageId, conversationId } = await answered();
			const client = clientOf(sim);
			sim.fail({ path: /feedbacks$|name$/, times: 9, ...fault });
			sim.fail({ path: /conversations/, method: 'DELETE', times: 9, ...fault });
			await failureOf(revokeRating(client, messageId, 'u1', true));
			await failureOf(renameConversation(client, 'u1', conversationId, undefined));
			await failureOf(deleteConversation(client, 'u1', conversationId));
			expect([calls(sim, /feedbacks$/), calls(sim, /name$/), calls(sim, /conversations/, 'DELETE')]).toEqual([1, 1, 1]);
		}
	});

	test('a rating is sent again where that may help: twice is once', async () => {
		const { sim, messageId } = await answered();
		sim.fail({ path: /feedbacks$/, how: 'reset' });
		await rateMessage(clientOf(sim), { messageId, user: 'u1', rating: 'like', earlierContent: 'erase' });
		expect(stored(sim)).toEqual([{ rating: 'like', content: null }]);
	});
});

describe.each(SIM_VERSIONS)('conversations, %s', (version) => {
	async function several(count: number): Promise<DifySim> {
		const sim = await startSim({ version });
		for (let at = 0; at < count; at++)
			sim.store.addConversation(sim.app('chat'), 'u1', { name: `c${at}`, createdAt: at, updatedAt: at });
		return sim;
	}

	test('case 77: pages, order, and only those of the user', async () => {
		const sim = await several(230);
		sim.store.addConversation(sim.app('chat'), 'u2', { name: 'not mine' });
		const client = clientOf(sim);
		const all = await listConversations(client, 'u1', 'all', '-updated_at');
		expect([all.length, all[0]!.name, all.at(-1)!.name]).toEqual([230, 'c229', 'c0']);
		expect(calls(sim, '/conversations', 'GET')).toBe(3);
		expect((await listConversations(client, 'u1', 120, 'created_at')).map(({ name }) => name)).toEqual(
			Array.from({ length: 120 }, (_, at) => `c${at}`),
		);
		expect(sim.requests.every(({ query }) => query.get('user') === 'u1' && Number(query.get('limit')) <= 100)).toBe(
			true,
		);
		expect(await listConversations(client, 'nobody', 'all', '-updated_at')).toEqual([]);
		expect(await latestConversation(client, 'u1')).toBe(all[0]!.id);
		for (const limit of [0, 101])
			expect(await failureOf(client.get('/conversations', { user: 'u1', limit }))).toMatchObject({
				status: 400,
				kind: 'invalidParam',
			});
		expect(await failureOf(client.get('/conversations', { user: 'u1', last_id: UNKNOWN_ID }))).toMatchObject({
			status: 404,
			kind: 'conversationNotFound',
		});
	});

	test('case 78: deleting sends the user, and reads no body', async () => {
		const sim = await startSim({ version });
		const { result } = await say(clientOf(sim));
		await deleteConversation(clientOf(sim), 'u1', result.conversationId!);
		expect(sim.app('chat').conversations.size).toBe(0);
		const request = sim.requests.at(-1)!;
		expect(request).toMatchObject({ method: 'DELETE', status: 204, json: { user: 'u1' } });
		expect(request.headers).toMatchObject({
			'content-type': 'application/json',
			'content-length': String(Buffer.byteLength('{"user":"u1"}')),
		});
		expect(request.headers['transfer-encoding']).toBeUndefined();
	});

	test('case 78: the conversation of somebody else is never deleted, in no version', async () => {
		const sim = await startSim({ version });
		const { result } = await say(clientOf(sim), { user: 'u2' });
		for (const id of [result.conversationId!, UNKNOWN_ID])
			expect(await failureOf(deleteConversation(clientOf(sim), 'u1', id))).toMatchObject({
				status: 404,
				kind: 'conversationNotFound',
			});
		expect(sim.app('chat').conversations.size).toBe(1);
		expect(calls(sim, /^\/conversations\//, 'DELETE')).toBe(0);
		expect([
			await ownsConversation(clientOf(sim), 'u2', result.conversationId!),
			await ownsConversation(clientOf(sim), 'u1', result.conversationId!),
		]).toEqual([true, false]);
	});

	test('case 79: a name, a name by Dify, a blank one, and an error without a text', async () => {
		const sim = await startSim({ version });
		const client = clientOf(sim);
		const { result } = await say(client, { query: 'How tall is it?' });
		const id = result.conversationId!;
		expect(await renameConversation(client, 'u1', id, 'Tower <b>')).toMatchObject({ id, name: 'Tower <b>' });
		expect(await renameConversation(client, 'u1', id, undefined)).toMatchObject({ name: 'About How tall is it?' });
		expect(await failureOf(renameConversation(client, 'u1', id, ' '))).toMatchObject({ kind: 'invalidParam' });
		const empty = sim.store.addConversation(sim.app('chat'), 'u1');
		const failed = await failureOf(renameConversation(client, 'u1', empty.id, undefined));
		expect(failed.status).toBe(400);
		expect(failed.message.length).toBeGreaterThan(10);
	});

	test('messages: all of them or the newest, oldest first', async () => {
		const sim = await startSim({ version });
		const app = sim.app('chat');
		const conversation = sim.store.addConversation(app, 'u1');
		for (let at = 0; at < 230; at++) sim.store.addMessage(app, conversation, { query: `q${at}` });
		const queries = async (most: number | 'all') =>
			(await listMessages(clientOf(sim), 'u1', conversation.id, most)).map(({ query }) => query);
		expect(await queries('all')).toEqual(Array.from({ length: 230 }, (_, at) => `q${at}`));
		expect(await queries(3)).toEqual(['q227', 'q228', 'q229']);
		expect(await queries(150)).toEqual(Array.from({ length: 150 }, (_, at) => `q${at + 80}`));
		expect(await failureOf(listMessages(clientOf(sim), 'u2', conversation.id, 'all'))).toMatchObject({
			kind: 'conversationNotFound',
		});
	});

	test('suggested questions, and an app that has none', async () => {
		const sim = await startApp(version, { mode: 'chat', suggestedQuestions: ['Why?', 'How?'] });
		const { result } = await say(clientOf(sim));
		expect(await suggestedQuestions(clientOf(sim), 'u1', result.messageId!)).toEqual(['Why?', 'How?']);
		// A model thinks of them and of names, which takes longer than other questions.
		const client = clientOf(sim);
		const [get, send] = [jest.spyOn(client, 'get'), jest.spyOn(client, 'send')];
		await suggestedQuestions(client, 'u1', result.messageId!);
		await renameConversation(client, 'u1', result.conversationId!, undefined);
		expect([get.mock.calls[0]![2]?.timeoutMs, send.mock.calls[0]![3]?.timeoutMs]).toEqual([120_000, 120_000]);
		const off = await startSim({ version });
		const other = await say(clientOf(off));
		expect(await failureOf(suggestedQuestions(clientOf(off), 'u1', other.result.messageId!))).toMatchObject({
			kind: 'featureOff',
		});
	});

	test('variables have their types, in both directions', async () => {
		const variables = [
			{ name: 'lang', valueType: 'string', value: '42' },
			{ name: 'count', valueType: 'number', value: 1 },
			{ name: 'seen', valueType: 'array[string]', value: ['a'] },
			{ name: 'map', valueType: 'object', value: { a: 1 } },
		];
		const sim = await startApp(version, { mode: 'advanced-chat', variables });
		const client = clientOf(sim, 'advanced-chat');
		const { result } = await say(client);
		const id = result.conversationId!;
		const values = async () =>
			Object.fromEntries((await listVariables(client, 'u1', id, 'all')).map(({ name, value }) => [name, value]));
		expect(await values()).toEqual({ lang: '42', count: 1, seen: ['a'], map: { a: 1 } });
		expect(await listVariables(client, 'u1', id, 'all', 'count')).toMatchObject([{ name: 'count' }]);
		expect(await listVariables(client, 'u1', id, 2)).toHaveLength(2);
		await updateVariable(client, 'u1', id, 'lang', 7);
		await updateVariable(client, 'u1', id, 'count', '25');
		await updateVariable(client, 'u1', id, 'seen', '["b"]');
		const byId = String((await listVariables(client, 'u1', id, 'all', 'map'))[0]!.id);
		expect(await updateVariable(client, 'u1', id, byId, { b: 2 })).toMatchObject({ value: { b: 2 } });
		expect(await values()).toEqual({ lang: '7', count: 25, seen: ['b'], map: { b: 2 } });
		expect(await failureOf(updateVariable(client, 'u1', id, 'count', 'many'))).toMatchObject({
			kind: 'invalidParam',
		});
		const unknown = await failureOf(updateVariable(client, 'u1', id, 'nope', 'x'));
		expect(unknown.kind).toBe('notFound');
		expect(unknown.remedy).toContain('lang, count, seen, map');
	});
});

describe.each(SIM_VERSIONS)('files and knowledge as far as the client goes, %s', (version) => {
	const knowledge = (sim: DifySim) => difyClient({ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' });

	test('case 81: the preview of a file that no message used', async () => {
		const sim = await startSim({ version });
		const id = await uploadFile(clientOf(sim), fileOf('x'), 'u1');
		expect(await failureOf(clientOf(sim).get(`/files/${id}/preview`, { user: 'u1' }))).toMatchObject({
			status: 404,
			code: 'file_not_found',
			kind: 'fileNotFound',
		});
	});

	test('case 83: JSON null in place of audio is no answer', async () => {
		const sim = await startSim({ version });
		expect(
			await failureOf(clientOf(sim).send('POST', '/text-to-audio', { message_id: UNKNOWN_ID, user: 'u1' })),
		).toMatchObject({ kind: 'emptyAnswer' });
	});

	test('case 84: the document in place of its batch, and ids that are none', async () => {
		const sim = await startSim({ version });
		const { id } = await knowledge(sim).send('POST', '/datasets', { name: 'k' });
		const path = `/datasets/${String(id)}`;
		const { batch, document } = await knowledge(sim).send('POST', `${path}/document/create-by-text`, {
			name: 'n',
			text: 't',
			indexing_technique: 'economy',
		});
		expect(await knowledge(sim).get(`${path}/documents/${String(batch)}/indexing-status`)).toMatchObject({
			data: [{ indexing_status: 'completed' }],
		});
		const wrong = await failureOf(
			knowledge(sim).get(`${path}/documents/${(document as { id: string }).id}/indexing-status`),
		);
		expect(wrong).toMatchObject({ status: 404, kind: 'notFound' });
		expect(wrong.serverText).toContain('Documents not found.');
		expect(await failureOf(knowledge(sim).get('/datasets/abc/documents'))).toMatchObject({
			status: 404,
			kind: 'routeNotFound',
		});
	});

	test('case 85: a limit of the plan is not called a bad key', async () => {
		const sim = await startSim({ version });
		sim.fail({
			status: 403,
			body: '{"code":"forbidden","message":"Sorry, you have reached the knowledge base request rate limit of your subscription.","status":403}',
			contentType: 'application/json',
		});
		const failed = await failureOf(knowledge(sim).get('/datasets', { page: 1, limit: 1 }));
		expect(failed).toMatchObject({ kind: 'planLimit' });
		expect(failed.remedy).toContain('The key is fine');
	});

	test('case 86: a query that is too long', async () => {
		const sim = await startSim({ version });
		const { id } = (await knowledge(sim).send('POST', '/datasets', { name: 'k' })) as { id: string };
		expect(
			await failureOf(knowledge(sim).send('POST', `/datasets/${id}/retrieve`, { query: 'x'.repeat(251) })),
		).toMatchObject({ status: 400 });
		expect(
			await failureOf(
				knowledge(sim).send('POST', `/datasets/${id}/retrieve`, { query: 'x', retrieval_model: { top_k: 1 } }),
			),
		).toMatchObject({ status: 500, kind: 'serverError' });
	});
});
