import * as fc from 'fast-check';
import { soundFormat } from '../../../lib/dify/audio';
import { resultOfBlocking } from '../../../lib/dify/blocking';
import { AUDIO_GRACE_MS, GRACE_MS, createRun, finish, reduce } from '../../../lib/dify/events';
import { recordOf, parseJson } from '../../../lib/values';
import type { DifyAppMode, RunResult } from '../../../lib/dify/types';
import { SAMPLES, SIM_VERSIONS, sampleContext, type Script, type SimVersion, type Step } from '../../servers/dify';
import { Transcript } from '../../servers/dify/script';
import { bytesOf, itemsText, lines, playBytes, playScript, playText, scriptText } from './play';
import { examples } from '../../support/properties';

const CHATFLOW: DifyAppMode = 'advanced-chat';
const IDS = { conversationId: 'c', messageId: 'm', taskId: 't' };
const ENV = { conversation_id: 'c', message_id: 'm', created_at: 1, task_id: 't' };

function said(...texts: string[]): Step[] {
	return texts.map((text) => ({ text }));
}

/** A stream that somebody stops after the script's steps. */
function stoppedText(version: SimVersion, mode: DifyAppMode, script: Script): string {
	const run = new Transcript(script, sampleContext(version, mode));
	const items = [...run.opening(), ...script.steps.flatMap((step) => run.step(step)), ...run.ending('stopped')];
	return itemsText(items);
}

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
		const body: unknown = JSON.parse(`{"answer":"\\u4f60\\u597d","message_id":"m","metadata":{"usage":${usage}}}`);
		const { text, usage: read } = resultOfBlocking(body);
		expect([text, read?.prompt_unit_price]).toEqual(['你好', '0.0000010']);
	});

	test('case 64: a failed workflow run comes with HTTP 200', () => {
		const data = { id: 'r', workflow_id: 'w', status: 'failed', outputs: {}, error: 'boom', total_tokens: 0 };
		expect(resultOfBlocking({ task_id: 't', workflow_run_id: 'r', data })).toMatchObject({
			status: 'failed',
			workflowRunId: 'r',
			taskId: 't',
			error: { cause: 'runFailed', message: 'boom' },
			workflow: { workflowId: 'w', outputs: {} },
		});
	});

	test('case 65: partial success is a success with a warning', () => {
		const data = { id: 'r', status: 'partial-succeeded', outputs: { text: 'ok' }, error: null, exceptions_count: 2 };
		const result = resultOfBlocking({ task_id: 't', workflow_run_id: 'r', data });
		expect(result).toMatchObject({ status: 'partial-succeeded', text: 'ok', error: undefined });
		expect(result.warnings).toEqual(['2 node(s) of the workflow failed and were handled by their error branch.']);
	});

	test('case 60, blocking: a paused chatflow and a paused workflow', () => {
		const reasons = [
			{ TYPE: 'human_input_required', form_id: 'f', node_id: 'n', form_token: 'k', form_content: 'OK?' },
		];
		const data = { workflow_run_id: 'r', id: 'm', paused_nodes: ['n'], reasons, status: 'paused', answer: 'so far' };
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
		for (const body of [null, [], 'text', {}]) expect(resultOfBlocking(body).error?.cause).toBe('notFinished');
	});
});

describe('transport', () => {
	const script: Script = { steps: said('Größe ', '你好 ', '😀'), usage: { total_tokens: 5 } };

	test.each(SIM_VERSIONS)('case 32: one byte per write (%s)', (version) => {
		const text = scriptText(version, 'chat', script);
		const single = [...bytesOf(text)].map((byte) => Uint8Array.of(byte));
		expect(playBytes(single)).toEqual(playText(text));
	});

	test('case 33: two events and half of a third in one chunk', () => {
		const bytes = bytesOf(scriptText('1.12', 'chat', script));
		const text = new TextDecoder().decode(bytes);
		const third = text.indexOf('data: ', text.indexOf('data: ', 6) + 1);
		const played = playBytes([bytes.subarray(0, third + 30), bytes.subarray(third + 30)]);
		expect(played.result).toMatchObject({ status: 'succeeded', text: 'Größe 你好 😀' });
	});

	test('case 34: a character of three or four bytes split anywhere', () => {
		const bytes = bytesOf(scriptText('1.12', 'chat', script));
		for (let at = 1; at < bytes.length; at++) {
			expect(playBytes([bytes.subarray(0, at), bytes.subarray(at)]).result.text).toBe('Größe 你好 😀');
		}
	});

	test('case 35: CRLF, and a last event without a blank line', () => {
		const text = scriptText('1.12', 'chat', script);
		const plain = playText(text);
		expect(playText(text.replaceAll('\n', '\r\n'))).toEqual(plain);
		expect(playText(text.replace(/\n\n$/, ''))).toEqual(plain);
		expect(plain.result.status).toBe('succeeded');
	});

	test('case 36: pings first, between, and glued to data', () => {
		const text = scriptText('1.12', 'chat', script);
		const pinged = text.replaceAll('data: ', 'event: ping\n\ndata: ');
		expect(playText(pinged)).toEqual(playText(text));
		expect(reduce(createRun(), { event: 'ping' })).toMatchObject({ deltas: [], next: 'continue' });
	});

	test('case 37: only pings, then the end or a limit', () => {
		const pings = 'event: ping\n\n'.repeat(3);
		expect(playText(pings).result).toMatchObject({ status: 'failed', text: '', error: { cause: 'queued' } });
		const late = playText(pings + lines({ event: 'message', ...ENV, answer: '' }), {}, 'idle');
		expect(late.result).toMatchObject({ status: 'failed', taskId: 't', error: { cause: 'idle' } });
		expect(late.next).toBe('continue');
	});

	test('case 38: unknown events and fields', () => {
		const text = scriptText('1.12', 'chat', {
			...script,
			steps: [...script.steps, { emit: 'brand_new', fields: { answer: 'no', data: 5 } }],
		});
		const odd = text.replace('"answer":', '"novel":[{}],"answer":');
		expect(playText(odd).result).toMatchObject({ status: 'succeeded', text: 'Größe 你好 😀', warnings: [] });
	});

	test('case 39: unreadable data is counted, told without its content, and survived', () => {
		const broken = 'data: {"answer":"app-SecretSecretSecret00\n\ndata: [1]\n\n';
		const { result } = playText(broken + scriptText('1.12', 'chat', script));
		expect(result).toMatchObject({ status: 'succeeded', text: 'Größe 你好 😀' });
		expect(result.warnings).toEqual(['2 event(s) of the stream could not be read and were left out.']);
	});

	test('case 42: a reset after three chunks keeps the partial text and all ids', () => {
		const text = scriptText('1.12', CHATFLOW, { steps: [{ node: { id: 'n1' } }, ...said('a', 'b')] });
		const upToB = text.slice(0, text.indexOf('data: {"event":"workflow_finished"'));
		const state = createRun();
		for (const line of upToB.split('\n\n').filter(Boolean)) reduce(state, parseJson(line.slice(6)));
		expect(finish(state, 'closed', 'read ECONNRESET')).toMatchObject({
			...IDS,
			workflowRunId: 'r',
			status: 'failed',
			text: 'ab',
			error: {
				cause: 'endedEarly',
				message: 'The stream ended early: the connection was closed before the result was complete: read ECONNRESET',
			},
		});
	});

	test('case 43: closes at message_end, whatever the server does', () => {
		const played = playText(scriptText('1.12', 'chat', script) + 'event: ping\n\n'.repeat(9));
		expect(played).toMatchObject({ closed: true, result: { status: 'succeeded' } });
	});

	test('case 44: text that looks like the protocol', () => {
		const odd = ['data: x\n\n', '[DONE]', 'event: error\r\n\r\n', '\u2028'];
		const { result, shown } = playScript('1.12', 'chat', { steps: said(...odd) });
		expect([result.text, shown]).toEqual([odd.join(''), odd.join('')]);
	});
});

describe('what the events mean', () => {
	test.each(SIM_VERSIONS)('case 45: chat, text and usage and resources (%s)', (version) => {
		const resources = [{ position: 1, document_name: 'a.pdf', score: 0.5 }];
		const script: Script = {
			steps: said('Hel', 'lo', '!'),
			usage: { total_tokens: 7, total_price: '0.0000280' },
			resources,
		};
		expect(playScript(version, 'chat', script).result).toMatchObject({
			...IDS,
			status: 'succeeded',
			text: 'Hello!',
			usage: { total_tokens: 7, total_price: '0.0000280' },
			retrieverResources: resources,
			metadata: { annotation_reply: null },
			createdAt: 1705398420,
		});
	});

	test.each(SIM_VERSIONS)('case 46: message_replace, then one more piece (%s)', (version) => {
		const script: Script = { steps: [...said('bad'), { replace: 'Good' }, ...said('!')] };
		const { result, shown } = playScript(version, 'chat', script);
		expect([result.text, shown]).toEqual(['Good!', 'Good!']);
		const step = reduce(reduce(createRun(), { event: 'message', answer: 'bad' }).state, {
			event: 'message_replace',
			answer: 'Good',
			reason: 'output_moderation',
		});
		expect(step.deltas).toEqual([{ type: 'replace', text: 'Good', reason: 'output_moderation' }]);
	});

	test.each(SIM_VERSIONS)('case 47: message_file with url is a file, with answer it is text (%s)', (version) => {
		const files = [{ type: 'image', transfer_method: 'remote_url', url: 'http://h/u.png' }];
		const steps: Step[] = [{ file: { id: 'f1', type: 'image', url: '/a.png' } }, ...said('See ', 'this')];
		const run = new Transcript({ steps }, sampleContext(version, 'chat', { files }));
		const text = itemsText([...steps.flatMap((step) => run.step(step)), ...run.ending()]);
		expect(text).toContain(
			'"event":"message_file","conversation_id":"c","message_id":"m","created_at":1705398420,"task_id":"t","id":"m","answer":"See "',
		);
		expect(playText(text).result).toMatchObject({
			text: 'See this',
			files: [{ id: 'f1', type: 'image', belongs_to: 'assistant', url: '/a.png' }],
		});
		const upload = new Transcript({ steps: said('Seen') }, sampleContext(version, 'chat', { files }));
		const turn = itemsText([...upload.step({ text: 'Seen' }), ...upload.ending()]);
		expect(turn.includes('message_file')).toBe(version === '1.12');
		expect(playText(turn).result).toMatchObject({ text: 'Seen', files: [] });
	});

	test.each(SIM_VERSIONS)('case 48: one thought per id, text from agent_message (%s)', (version) => {
		const { result } = playScript(version, 'agent-chat', SAMPLES.agentChat);
		expect(result.text).toBe('Let me check. It is noon.');
		expect(result.thoughts).toMatchObject([
			{ id: 'th1', position: 1, thought: 'Let me check. ', tool: 'time', observation: '{"time": "12:00"}' },
			{ id: 'th2', position: 2, thought: 'It is noon.' },
		]);
		expect(result.usage).toEqual({ total_tokens: 42 });
		expect(Object.keys(result.thoughts[0] ?? {})).not.toContain('event');
	});

	test('case 48: a later and emptier version of a thought erases nothing, null is nothing', () => {
		const state = createRun();
		reduce(state, { event: 'agent_thought', ...ENV, id: 't1', thought: 'a', tool: 'x', observation: null });
		reduce(state, {
			event: 'agent_thought',
			...ENV,
			id: 't1',
			thought: '',
			tool: null,
			observation: 'seen',
			message_files: ['f'],
		});
		expect(finish(state, 'abort').thoughts).toEqual([
			{ id: 't1', thought: 'a', tool: 'x', observation: 'seen', message_files: ['f'] },
		]);
	});

	test.each(SIM_VERSIONS)('case 49: an annotation answers an agent app with message only (%s)', (version) => {
		const script: Script = { steps: said('Fixed.'), moderated: true, annotationReply: { id: 'an' } };
		const { result } = playScript(version, 'agent-chat', script);
		expect(result).toMatchObject({ status: 'succeeded', text: 'Fixed.', metadata: { annotation_reply: { id: 'an' } } });
	});

	test("case 50: the New Agent's closing full message does not double the text", () => {
		const played = playScript('2026', 'agent', { steps: [{ round: { chunks: ['Hel', 'lo'] } }] });
		expect([played.result.text, played.shown, played.closed]).toEqual(['Hello', 'Hello', true]);
		expect(played.result.retrieverResources).toEqual([]);
	});

	test('case 50: the closing message wins where it differs, adds what is missing, and does nothing when empty', () => {
		const after = (answer: string) => {
			const state = reduce(createRun(), { event: 'agent_message', ...ENV, answer: 'Hello' }).state;
			return [reduce(state, { event: 'message', ...ENV, answer }).deltas, state.text];
		};
		expect(after('Hi')).toEqual([[{ type: 'replace', text: 'Hi', reason: 'full_message' }], 'Hi']);
		expect(after('Hello.')).toEqual([[{ type: 'append', text: '.' }], 'Hello.']);
		expect(after('')).toEqual([[], 'Hello']);
	});

	test('case 50: only the first message that says something is the closing one', () => {
		const state = reduce(createRun(), { event: 'agent_message', ...ENV, answer: 'Hel' }).state;
		for (const answer of ['', 'Hello', ' again']) reduce(state, { event: 'message', ...ENV, answer });
		expect(state.text).toBe('Hello again');
	});

	test('case 51: both chatflow orders give the identical result, with the usage of message_end', () => {
		const played = SIM_VERSIONS.map((version) => playScript(version, CHATFLOW, SAMPLES.chatflow));
		expect(played[1]).toEqual(played[0]);
		expect(played[2]).toEqual(played[0]);
		expect(played[0]).toMatchObject({
			closed: true,
			result: {
				...IDS,
				workflowRunId: 'r',
				status: 'succeeded',
				text: 'Hello',
				usage: { total_tokens: 20 },
				workflow: {
					runId: 'r',
					workflowId: 'w',
					status: 'succeeded',
					outputs: { answer: 'Hello', files: [] },
					elapsedTime: 1.5,
					totalTokens: 20,
					totalSteps: 3,
					finishedAt: 1705398422,
					nodes: [{ id: 'e1', nodeId: 'n1', type: 'start', title: 'Start', status: 'succeeded', elapsedTime: 0.01 }],
				},
			},
		});
		expect(SIM_VERSIONS.map((version) => playText(scriptText(version, CHATFLOW, SAMPLES.chatflow)))).toEqual(played);
	});

	const failing: Script = {
		steps: [{ node: { id: 'n1' } }, ...said('par'), { node: { id: 'n2', status: 'failed', error: 'no key' } }],
		fail: 'no key',
	};

	test('case 52: chatflow failure of 1.12 is one failure, with the code of the error event', () => {
		const played = playScript('1.12', CHATFLOW, failing);
		expect(played).toMatchObject({
			closed: true,
			shown: 'par',
			result: {
				status: 'failed',
				text: 'par',
				workflowRunId: 'r',
				error: { cause: 'errorEvent', code: 'invalid_param', status: 400, message: 'Run failed: no key' },
				workflow: { status: 'failed', error: 'no key', nodes: [{ status: 'succeeded' }, { status: 'failed' }] },
			},
		});
	});

	test('case 53: chatflow failure of 1.14 ends with the run, after a grace for an error that may follow', () => {
		const played = playScript('1.14', CHATFLOW, failing);
		expect(played).toMatchObject({ next: 'grace', graceMs: GRACE_MS });
		expect(played.result).toMatchObject({
			status: 'failed',
			text: 'par',
			error: { cause: 'runFailed', message: 'no key' },
		});
	});

	test('case 54: chatflow failure of main is a failure although message_end came', () => {
		const played = playScript('2026', CHATFLOW, failing);
		expect(played).toMatchObject({
			closed: true,
			result: { status: 'failed', text: 'par', error: { message: 'no key' } },
		});
	});

	test.each(SIM_VERSIONS)('case 55: a moderated chatflow is a success at once (%s)', (version) => {
		const text = scriptText(version, CHATFLOW, { steps: said('No.'), moderated: true });
		const played = playText(`${text}event: ping\n\n`);
		expect(played).toMatchObject({ closed: true, result: { status: 'succeeded', text: 'No.' } });
		expect(played.result.workflow).toBeUndefined();
	});

	test('case 55: a message_end that is not the end of a chatflow: 1.14 sends workflow_finished after it', () => {
		const state = createRun();
		reduce(state, { event: 'workflow_started', ...ENV, data: { id: 'r' } });
		expect(reduce(state, { event: 'message_end', ...ENV }).next).toBe('continue');
	});

	test.each([
		[{ code: 'completion_request_error', status: 400, message: '429 from OpenAI' }, '429 from OpenAI'],
		[{ message: 'query is required', status: 500 }, 'query is required'],
		[{ message: '', status: 500 }, 'Dify reported an error without a text (status 500)'],
		[
			{ code: 'completion_request_error', status: 400, message: null },
			'Dify reported an error without a text (code completion_request_error, status 400)',
		],
		[{}, 'Dify reported an error without a text'],
	] as Array<[{ code?: string; status?: number; message?: string | null }, string]>)(
		'case 56: error %j has a text',
		(own, message) => {
			const played = playText(lines({ event: 'message', ...ENV, answer: 'x' }, { event: 'error', ...own }));
			expect(played.closed).toBe(true);
			expect(played.result).toMatchObject({ ...IDS, status: 'failed', text: 'x' });
			expect(played.result.error).toEqual({ cause: 'errorEvent', code: own.code, status: own.status, message });
		},
	);

	test('case 56: an empty error takes the text of the failed run or node', () => {
		const node = { event: 'node_finished', ...ENV, data: { id: 'e', status: 'failed', error: 'bad header' } };
		expect(playText(lines(node, { event: 'error', message: '', status: 500 })).result.error?.message).toBe(
			'bad header',
		);
	});

	test.each(SIM_VERSIONS)('case 57: closes at error, and nothing after it counts (%s)', (version) => {
		for (const mode of ['chat', CHATFLOW, 'agent-chat', 'completion', 'workflow'] as const) {
			const error: Step = { error: { code: 'internal_server_error', status: 500, message: 'broken' } };
			const text = scriptText(version, mode, { steps: [...said('x'), error] });
			const played = playText(`${text}event: ping\n\n${lines({ event: 'message', answer: 'y' })}`);
			expect(played).toMatchObject({
				closed: true,
				result: { status: 'failed', text: 'x', error: { code: 'internal_server_error' } },
			});
		}
	});

	test('case 57: one packet or two, what comes after the end never counts', () => {
		const state = createRun();
		reduce(state, { event: 'message', ...ENV, answer: 'x' });
		reduce(state, { event: 'message_end', ...ENV });
		const late = reduce(state, { event: 'error', message: 'late' });
		expect(late).toMatchObject({ deltas: [], next: 'close' });
		expect(finish(state, 'closed')).toMatchObject({ status: 'succeeded', text: 'x' });
	});

	test('case 58: text before an error is kept, never a success', () => {
		const script: Script = { steps: [...said('half '), { error: { status: 500, message: 'gone' } }] };
		expect(playScript('1.14', 'chat', script).result).toMatchObject({
			status: 'failed',
			text: 'half ',
			error: { message: 'gone' },
		});
	});

	describe('case 59: speech', () => {
		const audio = (text: string) => Buffer.from(text).toString('base64');
		const script: Script = {
			steps: [...said('Hi'), { tts: audio('one') }],
			trailingAudio: [audio('two!'), audio('3')],
		};

		test.each(['chat', CHATFLOW, 'workflow'] as const)(
			'has no effect on the text, unless wanted it is not waited for (%s)',
			(mode) => {
				const steps = mode === 'chat' ? script.steps : [{ node: { id: 'n' } }, ...script.steps];
				const text = scriptText('2026', mode, { ...script, steps });
				const plain = playText(text);
				expect(plain).toMatchObject({
					closed: true,
					shown: 'Hi',
					result: { status: 'succeeded', text: 'Hi', audio: undefined },
				});
				const heard = playText(text, { wantAudio: true });
				expect(heard).toMatchObject({ closed: true, result: { status: 'succeeded', text: 'Hi' } });
				expect(heard.result.audio).toEqual({
					content: Buffer.from('onetwo!3'),
					mimeType: 'audio/mpeg',
					extension: 'mp3',
					complete: true,
				});
			},
		);

		test('a grace for speech that does not come, in which nothing else counts', () => {
			const text = scriptText('1.12', 'chat', script);
			const open = text.slice(0, text.lastIndexOf('data: '));
			const played = playText(open + lines({ event: 'error', message: 'tts broke' }), {
				wantAudio: true,
			});
			expect(played).toMatchObject({ next: 'grace', graceMs: AUDIO_GRACE_MS });
			expect(played.result).toMatchObject({
				status: 'succeeded',
				audio: { complete: false, content: Buffer.from('onetwo!3') },
				warnings: [expect.stringContaining('may be cut off') as string],
			});
		});

		test('the grace begins anew with every piece: a slow voice is not cut off', () => {
			const state = createRun({ wantAudio: true });
			reduce(state, { event: 'message', ...ENV, answer: 'Hi' });
			const first = reduce(state, { event: 'message_end', ...ENV, metadata: {} });
			expect(first).toMatchObject({ next: 'grace', graceMs: AUDIO_GRACE_MS });
			expect(first.graceAnew).toBeUndefined();
			expect(reduce(state, { event: 'tts_message', audio: 'AAEC' })).toMatchObject({ next: 'grace', graceAnew: true });
			expect(reduce(state, { event: 'ping' }).graceAnew).toBeUndefined();
			expect(reduce(state, { event: 'tts_message_end', audio: '' })).toMatchObject({ next: 'close' });
		});

		test('what the bytes are, not what Dify calls them', () => {
			const format = (head: string) => soundFormat(Buffer.from(head, 'latin1')).extension;
			expect(format('RIFF\x24\x08\0\0WAVEfmt ')).toBe('wav');
			expect(soundFormat(Buffer.from('RIFF\n\r\0\0WAVEfmt ')).mimeType).toBe('audio/wav');
			expect(['OggS\0', 'fLaC', '#!AMR\n', '\0\0\0 ftypM4A ', '\xff\xf1P'].map(format)).toEqual([
				'ogg',
				'flac',
				'amr',
				'm4a',
				'aac',
			]);
			expect(['ID3\x04', '\xff\xfb\x90', '', 'RIFFxxxxAVI '].map(format)).toEqual(['mp3', 'mp3', 'mp3', 'mp3']);
			fc.assert(
				fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => soundFormat(bytes).mimeType.startsWith('audio/')),
			);
		});

		test('pieces encoded one by one are joined by their bytes', () => {
			fc.assert(
				fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), (pieces) => {
					const ended = { event: 'message_end', ...ENV, metadata: {} };
					const spoken = pieces.map((piece) => ({
						event: 'tts_message',
						...ENV,
						audio: Buffer.from(piece).toString('base64'),
					}));
					const whole = Buffer.concat(pieces);
					const { result } = playText(lines(...spoken, ended), { wantAudio: true });
					expect(result.audio?.content).toEqual(whole.length === 0 ? undefined : whole);
				}),
			);
		});
	});

	test.each(['1.14', '2026'] as const)(
		'case 60: paused, with run id and forms, with and without a token (%s)',
		(version) => {
			for (const mode of [CHATFLOW, 'workflow'] as const) {
				const form = { nodeId: 'ask', nodeTitle: 'Ask', content: 'OK?', actions: [{ id: 'yes', title: 'Yes' }] };
				const pause: Step = { pause: [form, { ...form, nodeId: 'mail', token: null }] };
				const played = playScript(version, mode, { steps: [...said('Wait'), pause] });
				expect(played).toMatchObject({
					closed: true,
					result: { status: 'paused', text: 'Wait', workflowRunId: 'r', taskId: 't' },
				});
				expect(played.result.pause).toMatchObject({
					workflowRunId: 'r',
					pausedNodes: ['ask', 'mail'],
					forms: [
						{ formId: 'fo1', nodeId: 'ask', formToken: 'ft1', actions: [{ id: 'yes' }], expirationTime: 1705402020 },
						{ formId: 'fo2', nodeId: 'mail', formToken: null },
					],
				});
				expect(played.result.workflow?.status).toBe('paused');
			}
		},
	);

	test('case 60: forms only in the reason; a form that was answered waits no longer', () => {
		const reasons = [{ TYPE: 'human_input_required', form_id: 'f2', node_id: 'n2' }];
		const { result } = playText(
			lines(
				{ event: 'human_input_required', ...ENV, data: { form_id: 'f1', node_id: 'n1' } },
				{ event: 'human_input_form_filled', ...ENV, data: { node_id: 'n1' } },
				{ event: 'workflow_paused', ...ENV, workflow_run_id: 'r', data: { paused_nodes: ['n2'], reasons } },
			),
		);
		expect(result.pause?.forms.map(({ formId }) => formId)).toEqual(['f2']);
	});

	test.each(SIM_VERSIONS)('case 61: stopped (%s)', (version) => {
		const script: Script = { steps: said('part') };
		const chat = playText(stoppedText(version, 'chat', script));
		expect(chat).toMatchObject({ closed: true, result: { status: 'succeeded', text: 'part' } });
		const chatflow = playText(stoppedText(version, CHATFLOW, script));
		expect(chatflow.result).toMatchObject({ status: 'stopped', text: 'part', workflow: { error: 'Stopped by user.' } });
		expect(chatflow.result.error).toBeUndefined();
		expect(chatflow.next).toBe(version === '1.14' ? 'grace' : 'close');
		const workflow = playText(stoppedText(version, 'workflow', script));
		expect(workflow).toMatchObject({ closed: true, result: { status: 'stopped', text: 'part' } });
	});

	test('case 61: a stop that loses the race in 1.12, and is told as a failure, is a stop', () => {
		const text = stoppedText('1.12', CHATFLOW, { steps: said('part'), stopRace: true });
		expect(playText(text).result).toMatchObject({ status: 'stopped', text: 'part', error: undefined });
	});

	test('a chatflow of Dify 1.14.2 that is stopped before its first token: "Aborted: User requested stop"', () => {
		const data = { id: 'r', workflow_id: 'w', status: 'failed', outputs: {}, error: 'Aborted: User requested stop' };
		const started = { event: 'workflow_started', ...ENV, workflow_run_id: 'r', data: { id: 'r' } };
		const text = lines(started, { event: 'workflow_finished', ...ENV, workflow_run_id: 'r', data });
		const { result } = playText(text);
		expect(result).toMatchObject({ status: 'stopped', error: undefined, workflow: { status: 'stopped' } });
		expect(result.warnings).toEqual([expect.stringContaining('Somebody or a time limit')]);
	});

	test.each(['1.12', '1.14'])('output moderation of a chatflow is told as that (%s)', (version) => {
		const data = { id: 'r', status: 'stopped', outputs: {}, error: 'Stopped by output moderation.' };
		const replaced = { event: 'message_replace', ...ENV, answer: 'Refused.', reason: 'output_moderation' };
		const { result } = playText(
			lines(
				{ event: 'workflow_started', ...ENV, data: { id: 'r' } },
				{ event: 'message', ...ENV, answer: 'bad words' },
				replaced,
				{ event: 'workflow_finished', ...ENV, data },
				...(version === '1.12' ? [{ event: 'message_end', ...ENV, metadata: {} }] : []),
			),
		);
		expect(result).toMatchObject({ status: 'stopped', text: 'Refused.' });
		expect(result.warnings).toEqual([expect.stringContaining('output moderation')]);
	});

	test('40,000 entries of agent_log, files and thoughts take no more time than their number', () => {
		const state = createRun();
		const begun = performance.now();
		for (let at = 0; at < 40_000; at++) {
			reduce(state, { event: 'agent_log', ...ENV, data: { id: `l${at}`, status: 'start' } });
			reduce(state, { event: 'agent_thought', ...ENV, id: `t${at}`, thought: 'Hm' });
			reduce(state, { event: 'message_file', ...ENV, id: `f${at}`, url: `http://files/${at}` });
		}
		for (let at = 0; at < 40_000; at++)
			reduce(state, { event: 'agent_log', ...ENV, data: { id: `l${at}`, status: 'success' } });
		// Searching the list for each took 12 s for the log alone.
		expect(performance.now() - begun).toBeLessThan(4_000);
		expect([state.workflow!.agentLogs.length, state.thoughts.length, state.files.length]).toEqual(
			Array(3).fill(40_000),
		);
		expect(state.workflow!.agentLogs[7]).toEqual({ id: 'l7', status: 'success' });
	});

	test('zero usage is no number where a model answered: New Agent, and what was stopped', () => {
		const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, total_price: '0E-7', latency: 0 };
		const message = { event: 'message', ...ENV, answer: 'Hello' };
		const end = { event: 'message_end', ...ENV, metadata: { usage } };
		expect(playText(lines(message, end)).result).toMatchObject({ status: 'succeeded', usage: undefined });
		const finished = (status: string) => ({ event: 'workflow_finished', ...ENV, data: { id: 'r', status } });
		expect(playText(lines(message, finished('stopped'), end)).result.usage).toBeUndefined();
		// A chatflow without a model has used none, and nothing was used for no text.
		expect(playText(lines(message, finished('succeeded'), end)).result.usage).toEqual(usage);
		expect(playText(lines(end)).result.usage).toEqual(usage);
	});

	test.each(SIM_VERSIONS)(
		'case 62: events of nodes, loops, logs and reasoning stay out of the answer (%s)',
		(version) => {
			const data = { id: 'it1', node_id: 'it', node_type: 'iteration', title: 'Each', inputs: { list: [1, 2] } };
			const retry = {
				id: 'e1',
				node_id: 'n1',
				node_type: 'http',
				title: 'Call',
				status: 'retry',
				error: '503',
				retry_index: 1,
			};
			const log = { node_execution_id: 'e1', id: 'l1', label: 'Round 1', parent_id: null, status: 'start', data: {} };
			const steps: Step[] = [
				{ nodeStart: { id: 'n1', type: 'http', title: 'Call' } },
				{ emit: 'node_retry', fields: { data: retry } },
				{ emit: 'agent_log', fields: { data: log } },
				{ emit: 'agent_log', fields: { data: { ...log, status: 'success' } } },
				{
					emit: 'reasoning_chunk',
					fields: { data: { message_id: 'm', reasoning: 'Hm. ', node_id: 'n1', is_final: false } },
				},
				{
					emit: 'reasoning_chunk',
					fields: { data: { message_id: 'm', reasoning: 'Ah.', node_id: 'n1', is_final: true } },
				},
				{ nodeEnd: { id: 'n1', type: 'http', title: 'Call', outputs: { body: 'text' } } },
				{ emit: 'iteration_started', fields: { data } },
				{ emit: 'iteration_next', fields: { data: { ...data, index: 0 } } },
				{ emit: 'iteration_next', fields: { data: { ...data, index: 1 } } },
				{
					emit: 'iteration_completed',
					fields: { data: { ...data, outputs: { output: ['x'] }, status: 'succeeded', steps: 2 } },
				},
				{ emit: 'loop_started', fields: { data: { ...data, id: 'lo1', node_type: 'loop' } } },
				{ emit: 'loop_next', fields: { data: { ...data, id: 'lo1', index: 0 } } },
				{ emit: 'loop_completed', fields: { data: { ...data, id: 'lo1', status: 'failed', error: null, steps: 1 } } },
				...said('Done.'),
			];
			for (const mode of [CHATFLOW, 'workflow'] as const) {
				const { result, shown } = playScript(version, mode, { steps });
				expect([result.text, shown, result.reasoning]).toEqual(['Done.', 'Done.', 'Hm. Ah.']);
				expect(result.workflow?.nodes).toMatchObject([
					{ id: 'e1', kind: 'node', nodeId: 'n1', status: 'succeeded', retries: 1, outputs: { body: 'text' } },
					{
						id: 'it1',
						kind: 'iteration',
						status: 'succeeded',
						passes: 2,
						inputs: { list: [1, 2] },
						outputs: { output: ['x'] },
					},
					{ id: 'lo1', kind: 'loop', status: 'failed', passes: 1 },
				]);
				expect(result.workflow?.nodes[0]?.error).toBeUndefined();
				expect(result.workflow?.agentLogs).toEqual([{ ...log, status: 'success' }]);
			}
		},
	);

	test.each(SIM_VERSIONS)('case 63: an empty answer is a success (%s)', (version) => {
		for (const mode of ['chat', 'agent-chat', CHATFLOW, 'completion'] as const) {
			expect(playScript(version, mode, { steps: [] })).toMatchObject({
				closed: true,
				shown: '',
				result: { status: 'succeeded', text: '' },
			});
		}
	});

	test('files of closing events come once, with what each event knows', () => {
		const file = {
			dify_model_identity: '__dify__file__',
			id: null,
			related_id: 'tool1',
			type: 'image',
			filename: 'a.png',
		};
		const files = [{ ...file, url: '/files/tools/tool1.png?timestamp=1&nonce=a&sign=b' }];
		const steps: Step[] = [{ file: { type: 'image', url: '/files/tools/tool1.png?timestamp=2&nonce=c&sign=d' } }];
		for (const version of SIM_VERSIONS) {
			const { result } = playScript(version, CHATFLOW, { steps, files });
			expect(result.files).toHaveLength(1);
			expect(result.files[0]).toMatchObject({ related_id: 'tool1', filename: 'a.png', belongs_to: 'assistant' });
		}
	});

	test('files of either closing event, usage that says nothing is none', () => {
		const files = [{ id: 'f1', type: 'image', url: '/a.png' }];
		const metadata = { usage: {}, retriever_resources: null };
		const end = { event: 'message_end', ...ENV, metadata };
		const finished = {
			event: 'workflow_finished',
			...ENV,
			workflow_run_id: 'r',
			data: { id: 'r', status: 'succeeded' },
		};
		const started = { event: 'workflow_started', ...ENV, workflow_run_id: 'r', data: { id: 'r' } };
		const first = playText(lines(started, { ...end, files }, finished)).result;
		const second = playText(lines(started, end, { ...finished, data: { ...finished.data, files } })).result;
		expect([first.files, second.files]).toEqual([files, files]);
		expect([first.usage, first.retrieverResources, first.metadata]).toEqual([undefined, [], metadata]);
	});

	test('a closing event that names its message by "id" only: without it, the answer could not be rated', () => {
		const { message_id: messageId, ...envelope } = ENV;
		const { result } = playText(
			lines(
				{ event: 'message', ...envelope, answer: 'a' },
				{ event: 'message_end', ...envelope, id: messageId, metadata: {} },
			),
		);
		expect(result).toMatchObject({ status: 'succeeded', messageId });
	});

	test('a node that was cut off is still running', () => {
		const text = scriptText('1.12', CHATFLOW, { steps: [{ nodeStart: { id: 'n1' } }, ...said('a')] });
		const { result } = playText(text.slice(0, text.indexOf('data: {"event":"workflow_finished"')));
		expect(result.workflow).toMatchObject({ status: 'running', nodes: [{ nodeId: 'n1', status: 'running' }] });
	});

	test('the end of a chatflow needs both of its events', () => {
		for (const version of SIM_VERSIONS) {
			const text = scriptText(version, CHATFLOW, SAMPLES.chatflow);
			const half = text.slice(0, text.lastIndexOf('data: '));
			const lost = version === '1.12' ? 'message_end' : 'workflow_finished';
			expect(playText(half)).toMatchObject({
				next: 'continue',
				result: {
					status: 'failed',
					text: 'Hello',
					error: {
						cause: 'endedEarly',
						message: `The stream ended early: Dify closed it before the result was complete (${lost} is missing)`,
					},
				},
			});
		}
	});

	test('cancelling and limits: a failure before the end, no effect after it', () => {
		const state = createRun();
		reduce(state, { event: 'message', ...ENV, answer: 'x' });
		expect(finish(state, 'abort').error).toEqual({ cause: 'cancelled', message: 'The run was cancelled' });
		expect(finish(state, 'idle', 'no data for 60 s').error).toEqual({
			cause: 'idle',
			message: 'A time limit ran out: no data for 60 s',
		});
		reduce(state, { event: 'message_end', ...ENV });
		expect(finish(state, 'abort')).toMatchObject({ status: 'succeeded', text: 'x', error: undefined });
	});

	test('a workflow status that nobody knows is a failure that names it', () => {
		const end = {
			event: 'workflow_finished',
			workflow_run_id: 'r',
			task_id: 't',
			data: { id: 'r', status: 'exploded' },
		};
		expect(playText(lines(end)).result.error?.message).toBe(
			'The workflow run ended with the unknown status "exploded"',
		);
	});
});

describe('workflow apps', () => {
	test.each(SIM_VERSIONS)('case 65: partial success (%s)', (version) => {
		for (const mode of [CHATFLOW, 'workflow'] as const) {
			const { result, closed } = playScript(version, mode, { steps: said('ok'), exceptions: 1 });
			expect(result).toMatchObject({ status: 'partial-succeeded', text: 'ok', workflow: { exceptionsCount: 1 } });
			expect([closed, result.warnings.length]).toEqual([true, 1]);
		}
	});

	test.each(SIM_VERSIONS)('case 67: outputs win over the streamed text (%s)', (version) => {
		const script: Script = { steps: said('dra', 'ft'), outputs: { text: 'final', score: 1 } };
		const { result, shown, closed } = playScript(version, 'workflow', script);
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'final',
			workflow: { outputs: { text: 'final', score: 1 } },
		});
		expect([shown, closed]).toEqual(['final', true]);
	});

	test.each(SIM_VERSIONS)(
		'case 67: several texts among the outputs leave the streamed one; failure keeps it too (%s)',
		(version) => {
			const several = { steps: said('draft'), outputs: { one: 'a', two: 'b' } };
			expect(playScript(version, 'workflow', several).result.text).toBe('draft');
			expect(playScript(version, 'workflow', SAMPLES.workflowFailure).result).toMatchObject({
				status: 'failed',
				text: 'par',
				taskId: 't',
				workflowRunId: 'r',
				error: { cause: 'runFailed', message: 'boom' },
			});
		},
	);

	test('case 67: outputs of a failed run do not win; text_replace would', () => {
		const ids = { workflow_run_id: 'r', task_id: 't' };
		const events = [
			{ event: 'text_chunk', ...ids, data: { text: 'bad' } },
			{ event: 'text_replace', ...ids, data: { text: 'better' } },
		];
		const failed = {
			event: 'workflow_finished',
			...ids,
			data: { id: 'r', status: 'failed', outputs: { text: 'x' }, error: 'e' },
		};
		const played = playText(lines(...events, failed));
		expect([played.shown, played.result.text, played.result.status]).toEqual(['better', 'better', 'failed']);
	});

	test('a run that finishes as paused is paused', () => {
		const end = { event: 'workflow_finished', workflow_run_id: 'r', task_id: 't', data: { id: 'r', status: 'paused' } };
		expect(playText(lines(end))).toMatchObject({
			closed: true,
			result: { status: 'paused', pause: { workflowRunId: 'r' } },
		});
	});

	test.each(SIM_VERSIONS)('case 67: the end without workflow_finished is a failure with the run id (%s)', (version) => {
		const text = scriptText(version, 'workflow', { steps: said('par') });
		const { result } = playText(text.slice(0, text.lastIndexOf('data: ')));
		expect(result).toMatchObject({
			status: 'failed',
			text: 'par',
			workflowRunId: 'r',
			error: { cause: 'endedEarly' },
		});
	});

	test('case 68: the replay of a finished run, with blanks in its JSON, for both app types', () => {
		const replay =
			'data: {"event": "workflow_finished", "workflow_run_id": "r", "task_id": "t", "data": {"id": "r", "workflow_id": "w", "status": "succeeded", "outputs": {"answer": "Hello", "files": []}, "error": null}}\n\n';
		expect(playText(replay)).toMatchObject({
			closed: true,
			result: { status: 'succeeded', text: 'Hello', workflowRunId: 'r' },
		});
	});
});

describe('properties', () => {
	const text = fc.oneof(
		fc.string({ unit: 'grapheme', maxLength: 8 }),
		fc.constantFrom('data: x\n\n', '[DONE]', '你好', '😀', '\r\n', '"}', '', '\u2028', 'é'),
	);
	const extra: fc.Arbitrary<Step> = fc.constantFrom<Step>(
		{ ping: true },
		{ raw: 'data: {broken\n\n' },
		{ raw: ': comment\n\n' },
		{ emit: 'brand_new', fields: { answer: 'no' } },
		{ emit: 'reasoning_chunk', fields: { data: { reasoning: 'hm 思' } } },
		{ file: { type: 'image', url: '/a.png' } },
		{ tts: 'AAEC' },
	);
	const node: fc.Arbitrary<Step> = fc.record({
		node: fc.record({ id: fc.constantFrom('n1', 'n2'), error: fc.constant(undefined) }),
	});
	const steps = (mode: DifyAppMode): fc.Arbitrary<Step[]> => {
		const piece: fc.Arbitrary<Step> =
			mode === 'agent' || mode === 'agent-chat'
				? fc.record({ round: fc.record({ chunks: fc.array(text, { maxLength: 3 }) }) })
				: fc.record({ text });
		const flow = mode === CHATFLOW || mode === 'workflow' ? [node] : [];
		return fc.array(fc.oneof({ weight: 3, arbitrary: piece }, extra, ...flow), { maxLength: 6 });
	};
	const ends: Array<Partial<Script>> = [{}, { fail: 'boom' }, { exceptions: 1 }, { trailingAudio: ['AA=='] }];
	const run = fc
		.constantFrom<DifyAppMode>('chat', 'agent-chat', 'agent', CHATFLOW, 'completion', 'workflow')
		.chain((mode) =>
			fc.record({
				mode: fc.constant(mode),
				version: fc.constantFrom(...SIM_VERSIONS),
				steps: steps(mode),
				end: fc.constantFrom(...(mode === CHATFLOW || mode === 'workflow' ? ends : [{}, { trailingAudio: ['AA=='] }])),
				replacement: fc.option(text, { nil: undefined }),
				error: fc.boolean(),
				wantAudio: fc.boolean(),
			}),
		)
		.map(({ mode, version, steps: all, end, replacement, error, wantAudio }) => {
			const replaced: Step[] = replacement === undefined ? [] : [{ replace: replacement }];
			const failed: Step[] = error ? [{ error: { status: 500, message: 'x' } }] : [];
			const script: Script = { steps: [...all, ...replaced, ...failed], ...end };
			return { wantAudio, text: scriptText(version, mode, script) };
		});

	test('any split of a transcript gives the same result, and the pieces shown are the text', () => {
		fc.assert(
			fc.property(
				run,
				fc.array(fc.nat(), { maxLength: 12 }),
				fc.boolean(),
				({ wantAudio, text: plain }, cuts, crlf) => {
					const whole = crlf ? plain.replaceAll('\n', '\r\n') : plain;
					const bytes = bytesOf(whole);
					const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
					const pieces = [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
					const played = playBytes(pieces, { wantAudio });
					expect(played).toEqual(playText(plain, { wantAudio }));
					expect(played.shown).toBe(played.result.text);
				},
			),
			examples(300),
		);
	});

	/** All text of the complete events, by the simplest means that an append-only stream allows. */
	function plainText(part: string): string {
		let out = '';
		for (const line of part.split('\n')) {
			const event = recordOf(parseJson(line.replace(/^data: /, '')));
			const piece = event.event === 'text_chunk' ? recordOf(event.data).text : event.answer;
			const known = ['message', 'agent_message', 'message_file', 'text_chunk'].includes(String(event.event));
			if (known && typeof piece === 'string') out += piece;
		}
		return out;
	}

	test('any cut gives failure with all the text so far and the ids', () => {
		const appended = fc
			.constantFrom<DifyAppMode>('chat', 'agent-chat', CHATFLOW, 'completion', 'workflow')
			.chain((mode) =>
				fc.record({
					mode: fc.constant(mode),
					version: fc.constantFrom(...SIM_VERSIONS),
					steps: steps(mode),
					end: fc.constantFrom<Partial<Script>>(
						...(mode === CHATFLOW || mode === 'workflow' ? ends.slice(0, 3) : [{}]),
					),
				}),
			);
		fc.assert(
			fc.property(
				appended,
				fc.nat(),
				fc.constantFrom('eof', 'closed', 'abort', 'idle'),
				({ mode, version, steps: all, end }, cut, reason) => {
					const silent = all.filter((step) => !('tts' in step));
					const bytes = bytesOf(scriptText(version, mode, { steps: silent, ...end }));
					// The last event is whole without its two line ends, so the last cut is one byte before them.
					const part = bytes.subarray(0, cut % (bytes.length - 2));
					const { result, shown } = playBytes([part], {}, reason);
					const text = new TextDecoder().decode(part);
					expect(result.status).toBe('failed');
					expect(result.error?.message).not.toBe('');
					expect([result.text, shown]).toEqual([plainText(text), plainText(text)]);
					// The first whole event names the task.
					if (/"task_id":"t".*\n/.test(text)) expect(result.taskId).toBe('t');
				},
			),
			examples(300),
		);
	});

	test("any cut of a New Agent's stream: failure, nothing doubled", () => {
		const bytes = bytesOf(scriptText('2026', 'agent', { steps: [{ round: { chunks: ['Hel', 'lo 你'] } }] }));
		const texts = new Set<string>();
		for (let cut = 0; cut < bytes.length - 2; cut++) {
			const { result } = playBytes([bytes.subarray(0, cut)]);
			expect(result.status).toBe('failed');
			texts.add(result.text);
		}
		expect([...texts]).toEqual(['', 'Hel', 'Hello 你']);
	});

	test('no event of any shape throws, and the result is plain data', () => {
		const names = [
			...['message', 'agent_message', 'agent_thought', 'message_file', 'message_replace', 'message_end', 'tts_message'],
			...['workflow_started', 'workflow_finished', 'workflow_paused', 'node_started', 'node_finished', 'node_retry'],
			...['iteration_next', 'loop_completed', 'agent_log', 'text_chunk', 'text_replace', 'reasoning_chunk', 'error'],
			...['human_input_required', 'human_input_form_filled', 'ping'],
		];
		const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));
		const event = fc.record({
			event: fc.constantFrom<unknown>(...names, 5),
			id: value,
			answer: value,
			data: fc.oneof(
				value,
				fc.record({ id: value, status: value, outputs: value, files: value, reasons: value, error: value }),
			),
			metadata: value,
			files: value,
			message: value,
			task_id: value,
		});
		fc.assert(
			fc.property(fc.array(fc.oneof(event, value), { maxLength: 8 }), (events) => {
				const state = createRun({ wantAudio: true });
				for (const each of events) reduce(state, each);
				const result: RunResult = finish(state, 'eof');
				expect(result.error === undefined).toBe(result.status !== 'failed');
				expect(() => JSON.stringify(result)).not.toThrow();
			}),
			examples(300),
		);
	});
});
