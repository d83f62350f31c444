/**
 * Dify's answers in the cases of docs/protocols/dify.md 8, in every version, without a client. The client's side is in
 * test/lib/dify and test/nodes.
 */
import { UNKNOWN_ID, startApp, startSim } from '../lib/dify/client';
import { ask, chat, eventsOf, form, type Ask } from '../lib/dify/ask';
import { PAGES, SIM_VERSIONS, appKey, knowledgeKey, type DifySim, type Json } from './dify';

/** An invalid key, which secret scanners do not recognize as one. */
const WRONG = `app-${'Wrong'.repeat(5)}`;
const A1 = "Authorization header must be provided and start with 'Bearer'";

describe.each(SIM_VERSIONS)('keys, routes, bodies, %s', (version) => {
	test('cases 1 to 3: a header that is missing, without scheme, of another scheme, in lower case; keys of the other family', async () => {
		const sim = await startSim({ version });
		const refused = async (path: string, options: Ask) => {
			const { status, json, headers } = await ask(sim, 'GET', path, options);
			expect([status, headers['www-authenticate'], json]).toEqual([
				401,
				'Bearer realm="api"',
				{ code: 'unauthorized', message: json.message, status: 401 },
			]);
			return json.message;
		};
		expect(await refused('/info', { authorization: null })).toBe(A1);
		expect(await refused('/info', { authorization: appKey('chat') })).toBe(A1);
		expect(await refused('/info', { authorization: 'Basic xyz' })).toBe(
			"Authorization scheme must be 'Bearer'",
		);
		expect(
			(await ask(sim, 'GET', '/info', { authorization: `bearer ${appKey('chat')}` })).status,
		).toBe(200);
		for (const key of [WRONG, knowledgeKey()])
			expect(await refused('/info', { key })).toBe('Access token is invalid');
		expect(await refused('/datasets', {})).toBe('Access token is invalid');
		expect((await ask(sim, 'GET', '/datasets', { key: knowledgeKey() })).status).toBe(200);
	});

	test('case 5: the index asks for no key', async () => {
		const sim = await startSim({ version });
		const welcome = await ask(sim, 'GET', '/', { key: WRONG });
		if (version !== '2026')
			return expect([welcome.status, welcome.text]).toEqual([404, PAGES.werkzeug404]);
		expect([welcome.status, welcome.json]).toEqual([
			200,
			{ welcome: 'Dify OpenAPI', api_version: 'v1', server_version: welcome.headers['x-version'] },
		]);
	});

	test('cases 8, 9, 29: unknown route, wrong method, no JSON type, broken JSON, JSON that is no object', async () => {
		const sim = await startSim({ version });
		const unknown = await ask(sim, 'GET', '/nothing');
		expect([unknown.status, unknown.headers['content-type'], unknown.text]).toEqual([
			404,
			'text/html; charset=utf-8',
			PAGES.werkzeug404,
		]);
		const wrong = await ask(sim, 'GET', '/chat-messages');
		expect(wrong.json).toEqual({
			code: 'method_not_allowed',
			message: 'The method is not allowed for the requested URL.',
			status: 405,
		});
		const post = async (raw: string, headers?: Record<string, string>) =>
			(await ask(sim, 'POST', '/chat-messages', { raw, headers })).json;
		const type = { 'Content-Type': 'application/json' };
		expect(await post('{}')).toMatchObject({ code: 'unsupported_media_type', status: 415 });
		expect(await post('{', type)).toMatchObject({ code: 'bad_request', status: 400 });
		for (const raw of ['[]', 'null', '"x"'])
			expect(await post(raw, type)).toEqual({
				code: 'unknown',
				message: 'Internal Server Error',
				status: 500,
			});
	});
});

describe.each(SIM_VERSIONS)('chat requests, %s', (version) => {
	const refusal = async (sim: DifySim, over: Record<string, unknown>) =>
		(await chat(sim, { response_mode: undefined, ...over })).json;

	test('cases 13 and 14: without a mode the answer is blocking, with all ids and the usage', async () => {
		const sim = await startSim({ version });
		for (const mode of ['chat', 'advanced-chat'] as const) {
			const { status, headers, json } = await chat(sim, { response_mode: undefined }, { mode });
			const { taskId, messageId, conversationId, startedAt } = sim.runs.at(-1)!;
			expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
			expect(json).toEqual({
				event: 'message',
				task_id: taskId,
				id: messageId,
				message_id: messageId,
				conversation_id: conversationId,
				mode,
				answer: 'You said: hi',
				metadata: {
					annotation_reply: null,
					retriever_resources: [],
					usage: expect.objectContaining({ total_tokens: 20, total_price: '0.0000280' }) as Json,
					...(version === '1.16' ? { reasoning: {} } : {}),
				},
				created_at: startedAt,
			});
		}
		if (version === '1.12') return;
		expect(
			(await chat(sim, { response_mode: undefined }, { mode: 'agent' })).headers['content-type'],
		).toBe('text/event-stream; charset=utf-8');
	});

	test('case 15: a user that is missing or that Python finds false, also where inputs are missing too', async () => {
		const sim = await startSim({ version });
		for (const user of [undefined, null, '', 0, false]) {
			for (const inputs of [undefined, {}])
				expect(await refusal(sim, { user, inputs })).toEqual({
					code: 'invalid_param',
					message: 'Arg user must be provided.',
					status: 400,
				});
		}
		for (const user of [7, ' ']) expect((await chat(sim, { user })).status).toBe(200);
		expect(sim.runs.map(({ user }) => user)).toEqual(['7', ' ']);
	});

	test('cases 16 and 18: inputs that are missing or no object; a query of blanks, and without its NUL', async () => {
		const sim = await startSim({ version });
		expect((await refusal(sim, { inputs: undefined })).message).toMatch(
			/inputs\n {2}Field required \[type=missing/,
		);
		for (const inputs of [null, [], 'x'])
			expect(await refusal(sim, { inputs })).toMatchObject({
				code: 'invalid_param',
				status: 400,
				message: expect.stringContaining('valid dictionary') as string,
			});
		for (const query of ['  ', 'a\u0000b', '<b>"&\'😀'])
			expect((await chat(sim, { query })).status).toBe(200);
		expect(sim.runs.map(({ query }) => query)).toEqual(['  ', 'ab', '<b>"&\'😀']);
	});

	test('cases 19 and 20: a required variable on the second turn, values of the wrong type', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			form: [
				{ kind: 'text-input', variable: 'city', required: true },
				{ kind: 'number', variable: 'days' },
				{ kind: 'select', variable: 'unit', options: ['C', 'F'] },
			],
		});
		const { conversation_id } = await refusal(sim, { inputs: { city: 'Rome' } });
		expect(await refusal(sim, { conversation_id })).toMatchObject({
			status: 400,
			message: 'city is required in input form',
		});
		expect(await refusal(sim, { inputs: { city: 7 } })).toMatchObject({
			status: 400,
			message: "(type 'text-input') city in input form must be a string",
		});
		expect(await refusal(sim, { inputs: { city: '', unit: 'K' } })).toMatchObject({
			status: 400,
			message: "unit in input form must be one of the following: ['C', 'F']",
		});
		expect(await refusal(sim, { inputs: { city: '', days: [1] } })).toMatchObject({
			status: 500,
			code: 'internal_server_error',
		});
	});

	test('case 21: a conversation id that is none is refused, a blank one starts a new conversation', async () => {
		const sim = await startSim({ version });
		expect(await refusal(sim, { conversation_id: 'abc' })).toMatchObject({
			status: 400,
			message: expect.stringContaining('must be a valid UUID') as string,
		});
		for (const conversation_id of ['', ' ', null])
			expect((await chat(sim, { conversation_id })).status).toBe(200);
		expect(new Set(sim.runs.map(({ conversationId }) => conversationId)).size).toBe(3);
	});

	test('case 22: the conversation of another user, of another app, a deleted one, and one of the web app', async () => {
		const sim = await startSim({ version });
		const other = (await chat(sim, { user: 'u2', response_mode: 'blocking' })).json.conversation_id;
		const foreign = (await chat(sim, { response_mode: 'blocking' }, { mode: 'advanced-chat' })).json
			.conversation_id;
		const gone = (await chat(sim, { response_mode: 'blocking' })).json.conversation_id;
		await ask(sim, 'DELETE', `/conversations/${String(gone)}`, { json: { user: 'u1' } });
		const web = sim.store.addConversation(sim.app('chat'), 'u1', { source: 'webapp' }).id;
		for (const conversation_id of [other, foreign, gone, web, UNKNOWN_ID]) {
			const { message, ...rest } = await refusal(sim, { conversation_id });
			expect(rest).toEqual({ code: 'not_found', status: 404 });
			expect(message).toMatch(
				/^Conversation Not Exists\. You have requested this URI \[\/v1\/chat-messages\]/,
			);
		}
	});

	test('case 27: a file without a transfer method is dropped without a word', async () => {
		const sim = await startSim({ version });
		const url = 'https://example.com/a.png';
		expect((await chat(sim, { files: [{ type: 'image', url }] })).status).toBe(200);
		expect(
			(await chat(sim, { files: [{ type: 'image', url, transfer_method: 'remote_url' }] })).status,
		).toBe(200);
		expect(sim.runs.map(({ files }) => files.length)).toEqual([0, 1]);
	});

	test('case 31: a blocking answer is escaped to ASCII, a stream is not; prices are text', async () => {
		const sim = await startApp(version, { mode: 'chat', reply: () => '你好' });
		const blocking = await chat(sim, { response_mode: 'blocking' });
		expect(blocking.text).toContain('"answer": "\\u4f60\\u597d"');
		expect(blocking.text).toContain('"prompt_unit_price": "0.0000010"');
		const { text } = await chat(sim);
		expect(text).toContain('"answer":"你好"');
		expect(eventsOf(text).at(-1)).toMatchObject({
			metadata: { usage: { prompt_unit_price: '0.0000010' } },
		});
	});
});

describe.each(SIM_VERSIONS)('records, %s', (version) => {
	test('cases 64 to 66: failed and partly failed runs with status 200; a stored run as text and as object, or none', async () => {
		const sim = await startApp(version, {
			mode: 'workflow',
			reply: ({ inputs }) => ({
				steps: [{ text: 'x' }],
				...(inputs.fail === true ? { fail: 'boom' } : { exceptions: 1 }),
			}),
			form: [{ kind: 'checkbox', variable: 'fail' }],
		});
		const mode = 'workflow';
		for (const [fail, status] of [
			[true, 'failed'],
			[false, 'partial-succeeded'],
		] as const) {
			const run = await ask(sim, 'POST', '/workflows/run', {
				mode,
				json: { inputs: { fail }, user: 'u1' },
			});
			expect([run.status, run.json.data]).toMatchObject([
				200,
				{ status, error: fail ? 'boom' : null },
			]);
			const stored = (
				await ask(sim, 'GET', `/workflows/run/${String(run.json.workflow_run_id)}`, { mode })
			).json;
			const outputs = fail ? {} : { text: 'x' };
			expect(stored).toMatchObject({
				status,
				inputs: JSON.stringify({ fail }),
				outputs: version === '1.12' ? JSON.stringify(outputs) : outputs,
			});
		}
		const none = await ask(sim, 'GET', `/workflows/run/${UNKNOWN_ID}`, { mode });
		if (version === '1.12')
			expect([none.status, new Set(Object.values(none.json))]).toEqual([200, new Set([null])]);
		else
			expect(none.json).toEqual({
				code: 'not_found',
				message: 'Workflow run not found.',
				status: 404,
			});
	});

	test('case 68: the replay of a finished run is one event with blanks, and belongs to its user', async () => {
		const sim = await startApp(version, { mode: 'workflow' });
		const mode = 'workflow';
		const { workflow_run_id: id } = (
			await ask(sim, 'POST', '/workflows/run', { mode, json: { inputs: {}, user: 'u1' } })
		).json;
		const replay = async (user: string) =>
			await ask(sim, 'GET', `/workflow/${String(id)}/events?user=${user}`, { mode });
		if (version === '1.12') {
			expect((await replay('u1')).text).toBe(PAGES.werkzeug404);
			return;
		}
		expect((await replay('u1')).text).toMatch(
			/^data: \{"event": "workflow_finished", "task_id": "[^"]+", "workflow_run_id": "[^"]+", [^\n]*\}\n\n$/,
		);
		expect((await replay('u2')).json).toEqual({
			code: 'not_found',
			message: 'Workflow run not found',
			status: 404,
		});
	});

	test('cases 70 to 74: feedback as it is stored, and what is refused', async () => {
		const sim = await startSim({ version });
		const { message_id: id } = (await chat(sim, { response_mode: 'blocking' })).json;
		const rate = async (json: Json, message: unknown = id) =>
			await ask(sim, 'POST', `/messages/${String(message)}/feedbacks`, {
				json: { user: 'u1', ...json },
			});
		const stored = () => sim.app('chat').feedbacks.map(({ rating, content }) => [rating, content]);
		for (const json of [
			{ rating: 'like' },
			{ rating: 'dislike', content: 'bad' },
			{ rating: 'like' },
		])
			expect((await rate(json)).json).toEqual({ result: 'success' });
		expect(stored()).toEqual([['like', null]]);
		expect((await rate({ rating: null })).json).toEqual({ result: 'success' });
		expect(stored()).toEqual([]);
		expect((await rate({ rating: null })).json).toMatchObject({
			status: 400,
			message: 'rating cannot be None when feedback not exists',
		});
		const web = sim.store.addMessage(
			sim.app('chat'),
			sim.store.addConversation(sim.app('chat'), 'u1', { source: 'webapp' }),
		).id;
		for (const message of [web, UNKNOWN_ID])
			expect((await rate({ rating: 'like' }, message)).json).toEqual({
				code: 'not_found',
				message: 'Message Not Exists.',
				status: 404,
			});
		expect((await rate({ rating: 'like', user: 'u2' })).status).toBe(404);
		expect((await rate({ rating: 'like' }, 'abc')).text).toBe(PAGES.werkzeug404);
		for (const rating of ['LIKE', ''])
			expect((await rate({ rating })).json).toMatchObject({ code: 'invalid_param', status: 400 });
		expect((await rate({ rating: 'like', user: undefined })).json.message).toBe(
			'Arg user must be provided.',
		);
	});

	test('cases 75 and 76: the list of feedback, newest first, with ISO times, up to 101; of a text generator too', async () => {
		const sim = await startSim({ version, now: () => 1705398420 });
		const mode = 'completion';
		for (const content of ['0', '1', '2']) {
			const { message_id: id } = (
				await ask(sim, 'POST', '/completion-messages', { mode, json: { inputs: {}, user: 'u1' } })
			).json;
			expect(
				(
					await ask(sim, 'POST', `/messages/${String(id)}/feedbacks`, {
						mode,
						json: { user: 'u1', rating: 'like', content },
					})
				).status,
			).toBe(200);
		}
		const page = async (query: string) =>
			(await ask(sim, 'GET', `/app/feedbacks?${query}`, { mode })).json;
		const first = await page('limit=2');
		expect(Object.keys(first)).toEqual(['data']);
		expect(first.data).toMatchObject([
			{ content: '2', created_at: '2024-01-16T09:47:00' },
			{ content: '1' },
		]);
		expect((await page('limit=2&page=2')).data).toHaveLength(1);
		expect((await page('limit=101')).data).toHaveLength(3);
		expect((await page('limit=102')).message).toContain(
			'Input should be less than or equal to 101',
		);
		expect((await page('limit=0')).message).toContain('Input should be greater than or equal to 1');
	});

	test('case 77: the list of conversations: limits, an unknown last one, "pinned", and the shared user of those who name none', async () => {
		const sim = await startSim({ version });
		for (const [user, name] of [
			['u1', 'mine'],
			['DEFAULT-USER', "nobody's"],
		] as const)
			sim.store.addConversation(sim.app('chat'), user, { name });
		const list = async (query: string) => (await ask(sim, 'GET', `/conversations?${query}`)).json;
		for (const limit of [0, 101])
			expect(await list(`user=u1&limit=${limit}`)).toMatchObject({
				code: 'invalid_param',
				status: 400,
			});
		expect((await list(`user=u1&last_id=${UNKNOWN_ID}`)).message).toMatch(
			/^Last Conversation Not Exists\./,
		);
		expect(await list('user=u1&pinned=true')).toMatchObject({
			limit: 20,
			has_more: false,
			data: [{ name: 'mine' }],
		});
		expect(await list('')).toMatchObject({ data: [{ name: "nobody's" }] });
	});

	test('cases 78 and 79: deleting, which 1.12 does for anybody; renaming', async () => {
		const sim = await startSim({ version });
		const { conversation_id: id } = (await chat(sim, { response_mode: 'blocking', user: 'u2' }))
			.json;
		const remove = async (path: unknown, user = 'u1') =>
			await ask(sim, 'DELETE', `/conversations/${String(path)}`, { json: { user } });
		const rename = async (own: Json, path: unknown = id) =>
			(
				await ask(sim, 'POST', `/conversations/${String(path)}/name`, {
					json: { user: 'u2', ...own },
				})
			).json;
		expect((await rename({ name: ' ' })).message).toContain(
			'name is required when auto_generate is false',
		);
		expect(await rename({ auto_generate: true })).toMatchObject({ name: 'About hi' });
		const empty = sim.store.addConversation(sim.app('chat'), 'u2').id;
		expect(await rename({ auto_generate: true }, empty)).toEqual({
			code: 'invalid_param',
			message: '',
			status: 400,
		});
		expect((await ask(sim, 'DELETE', `/conversations/${String(id)}`)).status).toBe(415);
		for (const each of [id, UNKNOWN_ID])
			expect((await remove(each)).status).toBe(version === '1.12' ? 204 : 404);
		const own = await remove(empty, 'u2');
		expect([own.status, own.text]).toEqual([204, '']);
	});
});

describe.each(SIM_VERSIONS)('files, audio, knowledge, %s', (version) => {
	const part = { name: 'file', filename: 'a.txt', type: 'text/plain', content: 'x' };
	const user = { name: 'user', content: 'u1' };

	test('case 80: an upload, and each refusal', async () => {
		const sim = await startSim({ version, blockedExtensions: ['exe'], limits: { other: 0.0001 } });
		const upload = async (...parts: Parameters<typeof form>[0]) =>
			await ask(sim, 'POST', '/files/upload', form([...parts, user]));
		const good = await upload(part);
		expect([good.status, good.json]).toMatchObject([
			201,
			{ name: 'a.txt', size: 1, extension: 'txt', mime_type: 'text/plain', user_id: null },
		]);
		expect(good.json).not.toHaveProperty('url');
		const refused = async (status: number, code: string, ...parts: Parameters<typeof form>[0]) =>
			expect((await upload(...parts)).json).toMatchObject({ code, status });
		await refused(400, 'no_file_uploaded', { ...part, name: 'file0' });
		await refused(400, 'too_many_files', part, { ...part, name: 'more' });
		await refused(400, 'filename_not_exists_error', { ...part, filename: undefined });
		await refused(400, 'invalid_param', { ...part, filename: 'a.exe' });
		await refused(413, 'file_too_large', { ...part, content: 'x'.repeat(500) });
		await refused(415, 'unsupported_file_type', { ...part, type: undefined });
		expect((await upload({ ...part, filename: 'a:b.txt' })).status).toBe(
			version === '1.12' ? 400 : 201,
		);
	});

	test('case 81: a preview, only of what a message used; as an attachment it is a download', async () => {
		const sim = await startSim({ version });
		const { id } = (await ask(sim, 'POST', '/files/upload', form([part, user]))).json;
		const preview = async (query = '') =>
			await ask(sim, 'GET', `/files/${String(id)}/preview?user=u1${query}`);
		expect((await preview()).json).toMatchObject({ code: 'file_not_found', status: 404 });
		await chat(sim, {
			files: [{ type: 'document', transfer_method: 'local_file', upload_file_id: id }],
		});
		const seen = await preview();
		expect([
			seen.status,
			seen.headers['content-type'],
			seen.text,
			seen.headers['content-disposition'],
		]).toEqual([200, 'text/plain', 'x', undefined]);
		const attached = await preview('&as_attachment=true');
		expect([attached.headers['content-disposition'], attached.headers['content-type']]).toEqual([
			"attachment; filename*=UTF-8''a.txt",
			'application/octet-stream',
		]);
	});

	test('case 82: speech to text takes audio/mp3, but not the usual audio/mpeg', async () => {
		const sim = await startApp(version, { mode: 'chat', speechToText: true });
		const hear = async (type: string) =>
			await ask(
				sim,
				'POST',
				'/audio-to-text',
				form([{ ...part, filename: 'a.mp3', type, content: 'la' }, user]),
			);
		expect((await hear('audio/mpeg')).json).toEqual({
			code: 'unsupported_audio_type',
			message: 'Audio type not allowed.',
			status: 415,
		});
		const heard = await hear('audio/mp3');
		expect([heard.status, heard.json]).toEqual([200, { text: 'heard 2 bytes' }]);
		sim.app('chat').speechToText = false;
		expect((await hear('audio/mp3')).json).toMatchObject({
			code: version === '1.16' || version === '2026' ? 'speech_to_text_disabled' : 'invalid_param',
			status: 400,
		});
	});

	test('case 83: text to speech: audio, or JSON null for a message that is not there', async () => {
		const sim = await startApp(version, { mode: 'chat', textToSpeech: true });
		const speak = async (json: Json) =>
			await ask(sim, 'POST', '/text-to-audio', { json: { user: 'u1', ...json } });
		expect((await speak({ text: 'hi' })).headers['content-type']).toBe('audio/mpeg');
		const nothing = await speak({ message_id: UNKNOWN_ID });
		expect([nothing.status, nothing.text, nothing.headers['content-type']]).toEqual([
			200,
			'null\n',
			'application/json',
		]);
	});

	test('cases 84 to 86: knowledge: the batch and not the document, limits of the plan, queries that are too long', async () => {
		const sim = await startSim({ version });
		const key = knowledgeKey();
		const post = async (path: string, json: Json) =>
			(await ask(sim, 'POST', path, { key, json })).json;
		const path = `/datasets/${String((await post('/datasets', { name: 'Papers' })).id)}`;
		const made = await post(`${path}/document/create-by-text`, {
			name: 'n',
			text: 'blue sky',
			indexing_technique: 'economy',
		});
		const status = async (batch: unknown) =>
			await ask(sim, 'GET', `${path}/documents/${String(batch)}/indexing-status`, { key });
		expect((await status(made.batch)).json).toMatchObject({
			data: [{ indexing_status: 'completed' }],
		});
		expect((await status((made.document as Json).id)).json).toMatchObject({
			message: 'Documents not found.',
			status: 404,
		});
		expect((await ask(sim, 'GET', '/datasets/abc/documents/b/indexing-status', { key })).text).toBe(
			PAGES.werkzeug404,
		);
		expect(await post(`${path}/retrieve`, { query: 'x'.repeat(251) })).toMatchObject({
			status: 400,
		});
		expect(
			await post(`${path}/retrieve`, { query: 'x', retrieval_model: { top_k: 1 } }),
		).toMatchObject({
			status: version === '1.12' ? 500 : 400,
		});
		sim.store.planText =
			'Sorry, you have reached the knowledge base request rate limit of your subscription.';
		expect(await post(`${path}/retrieve`, { query: 'sky' })).toEqual({
			code: 'forbidden',
			message: sim.store.planText,
			status: 403,
		});
	});
});
