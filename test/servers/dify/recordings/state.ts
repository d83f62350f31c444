import type { DifySim } from '../../dify';
import { storeFile } from '../files';
import { isJson } from '../http';
import { checkFiles } from '../inputs';
import type { AnnotationReply, Json, SimApp, SimFile, SimMessage, SimRun } from '../types';
import { annotationRecords } from './annotations';
import { knowledgeRecords } from './knowledge';
import { VARIABLES } from './apps';
import type { Scene } from './scene';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** Recreates the conversations, messages, files and ratings that the recorded server had at the request. */
export function records(scene: Scene, sim: DifySim, app: SimApp): void {
	const { path, query, answer, user } = scene;
	const there = answer.status !== 404;
	if (path.startsWith('/v1/datasets')) knowledgeRecords(scene, sim);
	if (path === '/v1/chat-messages' && there) runRecords(scene, sim, app);
	else if (path.endsWith('-messages') || /^\/v1\/workflows\/(?:[^/]+\/)?run$/.test(path)) {
		files(scene, sim, app);
		versions(scene, app);
		for (let at = 0; at < (answer.status === 400 ? (app.maxActive ?? 0) : 0); at++)
			sim.store.runs.push(activeRun(app));
	} else if (path === '/v1/messages' && there)
		messages(scene, sim, app, query.get('conversation_id') ?? '');
	else if (path === '/v1/conversations') conversations(scene, sim, app);
	else if (path.startsWith('/v1/conversations/')) oneConversation(scene, sim, app);
	else if (path.startsWith('/v1/messages/') && there) oneMessage(scene, sim, app);
	else if (path === '/v1/app/feedbacks') feedbacks(scene, sim, app);
	else if (path.startsWith('/v1/files/') && path.endsWith('/preview')) preview(scene, sim, app);
	else if (path === '/v1/text-to-audio' || path === '/v1/audio-to-text') speech(scene, app);
	else if (path.startsWith('/v1/apps/annotation')) annotationRecords(scene, sim, app);
	else if (path === '/v1/parameters' && isJson(scene.json) && isJson(scene.json.annotation_reply))
		app.annotationReply = scene.json.annotation_reply as AnnotationReply;
	else if (path === '/v1/workflows/logs') loggedRuns(scene, sim, app);
	else if (path.startsWith('/v1/end-users/') && there)
		sim.store.endUser(app, user).id = UUID.exec(path)?.[0] ?? '';
}

function versions({ answer, path }: Scene, app: SimApp): void {
	const id = UUID.exec(path)?.[0].toLowerCase();
	if (id === undefined) return;
	if (answer.status === 200) app.versions = [id];
	if (answer.body.toString('utf8').includes('draft')) app.draft = id;
}

function files({ recorded, answer }: Scene, sim: DifySim, app: SimApp): void {
	const sent = JSON.stringify(recorded.body ?? {});
	if (/Invalid upload file"/.test(answer.body.toString('utf8'))) return;
	for (const [, type, id] of sent.matchAll(
		/(?:"type":"(\w+)","transfer_method":"\w+",)?"upload_file_id":"([^"]*)"/g,
	)) {
		// The request has two files of different types.
		const isMixed = /^wf-(?:form|file)/.test(recorded.name);
		const name = isMixed ? (type === 'document' ? 'txt' : 'png') : recorded.name;
		if (id !== undefined && !sim.store.files.has(id))
			addFile(name, sim, app, id, String(recorded.body?.user));
	}
}

function addFile(name: string, sim: DifySim, app: SimApp, id: string, user: string): SimFile {
	const zip = /zip/.test(name);
	const text = /txt|audio/.test(name);
	const file = storeFile(sim.store, sim.store.endUser(app, user), {
		name: 'file',
		filename: zip ? 'a.zip' : text ? 'note.txt' : 'pixel.png',
		mimeType: zip ? 'application/zip' : text ? 'text/plain' : 'image/png',
		size: 70,
		sha256: '',
		content: new Uint8Array(70),
	});
	sim.store.files.delete(file.id);
	file.id = id;
	sim.store.files.set(id, file);
	return file;
}

function runRecords(scene: Scene, sim: DifySim, app: SimApp): void {
	const { recorded, answer, user } = scene;
	files(scene, sim, app);
	const id = String(recorded.body?.conversation_id ?? '').trim();
	if (UUID.test(id) && answer.body.toString('utf8').includes(id))
		sim.store.addConversation(app, user, { id });
	for (let at = 0; at < (app.maxActive ?? 0); at++) sim.store.runs.push(activeRun(app));
}

function speech({ answer, json, path }: Scene, app: SimApp): void {
	if (answer.status === 200 && path === '/v1/text-to-audio') app.speech = answer.body;
	if (!isJson(json)) return;
	const { code, message, text } = json as { code: string; message: string; text?: string };
	app.heard = text;
	if (/[Pp]lugin|Default model/.test(message))
		app.audioFailure = { status: answer.status, code, message };
}

/** Adds the listed runs, and those before and after the page. */
function loggedRuns({ json, query }: Scene, sim: DifySim, app: SimApp): void {
	const data = isJson(json) && Array.isArray(json.data) ? (json.data as Json[]) : [];
	app.accounts = ['lab@example.com'];
	const keyword = query.get('keyword') ?? '';
	const add = (row: Json) => {
		const run = row.workflow_run as Json;
		sim.store.runs.push({
			...activeRun(app),
			user: String((row.created_by_end_user as Json).session_id),
			workflowRunId: String(run.id),
			status: run.status as SimRun['status'],
			error: (run.error ?? undefined) as string | undefined,
			startedAt: Number(row.created_at),
			finishedAt: (run.finished_at ?? undefined) as number | undefined,
			inputs:
				keyword === '' ? {} : { found: JSON.parse(`"${keyword.replaceAll('%', '')}"`) as string },
		});
	};
	if (isJson(json) && json.has_more === true && data[0] !== undefined) add(data[0]);
	for (const row of data.toReversed()) add(row);
	const earlier = (Number(query.get('page') ?? 1) - 1) * Number(query.get('limit') ?? 20);
	for (let at = 0; at < earlier && data[0] !== undefined; at++) add(data[0]);
}

function activeRun(app: SimApp): SimRun {
	return {
		taskId: 'active',
		workflowId: app.workflowId,
		app,
		user: 'somebody',
		query: '',
		inputs: {},
		files: [],
		responseMode: 'streaming',
		status: 'running',
		answer: '',
		outputs: {},
		events: [],
		clientLeft: false,
		startedAt: 0,
	};
}

function messages(scene: Scene, sim: DifySim, app: SimApp, conversationId: string): void {
	const { json, user, recorded, query } = scene;
	const conversation = sim.store.addConversation(app, user, { id: conversationId });
	const data = isJson(json) ? (json.data as Json[]) : [];
	if (isJson(json) && json.has_more === true) sim.store.addMessage(app, conversation);
	for (const each of data ?? []) {
		const sent = (each.message_files as Json[]).map((file) => {
			const id = String(file.upload_file_id);
			if (!sim.store.files.has(id)) addFile(recorded.name, sim, app, id, user);
			return { type: file.type, transfer_method: file.transfer_method, upload_file_id: id };
		});
		sim.store.addMessage(app, conversation, {
			id: String(each.id),
			inputs: each.inputs as Json,
			query: String(each.query),
			answer: String(each.answer),
			status: each.status as SimMessage['status'],
			error: each.error as string | null,
			thoughts: (each.agent_thoughts as Json[]).map(({ files: seen, ...thought }) => ({
				...thought,
				message_files: seen,
			})),
			resources: each.retriever_resources as Json[],
			extra: (each.extra_contents ?? []) as Json[],
			files: checkFiles(sim.store, app, sim.store.endUser(app, user), sent),
		});
		if (isJson(each.feedback))
			rate(sim, app, String(each.id), conversation.id, user, each.feedback);
	}
	const first = query.get('first_id');
	if (first !== null) sim.store.addMessage(app, conversation, { id: first });
}

function rate(
	sim: DifySim,
	app: SimApp,
	messageId: string,
	conversationId: string,
	user: string,
	own: Json,
): void {
	sim.store.addMessage(app, sim.store.addConversation(app, user, { id: conversationId }), {
		...app.messages.get(messageId),
		id: messageId,
	});
	app.feedbacks.push({
		id: sim.store.newId('feedback'),
		conversationId,
		messageId,
		rating: own.rating as 'like',
		content: (own.content ?? null) as string | null,
		source: 'user',
		userId: sim.store.endUser(app, user).id,
		createdAt: sim.store.now(),
		updatedAt: sim.store.now(),
	});
}

function conversations({ json, user, query }: Scene, sim: DifySim, app: SimApp): void {
	const data = isJson(json) && Array.isArray(json.data) ? (json.data as Json[]) : [];
	const add = (at: number, own: Json) =>
		sim.store.addConversation(app, user, {
			id: String(own.id ?? sim.store.newId('conversation')),
			name: String(own.name),
			inputs: (own.inputs ?? {}) as Json,
			introduction: String(own.introduction),
			createdAt: Number(own.created_at ?? at),
			updatedAt: Number(own.updated_at ?? at),
		});
	const last = query.get('last_id');
	if (last !== null && data.length > 0) add(9e9, { id: last });
	if (isJson(json) && json.has_more === true) {
		for (const at of [1, 9e9])
			if ((query.get('sort_by') ?? '-').startsWith('-') === (at === 1)) add(at, {});
	}
	for (const each of data.toReversed()) add(1, each);
}

function oneConversation(scene: Scene, sim: DifySim, app: SimApp): void {
	const { path, answer, json, user, recorded } = scene;
	const there = answer.status !== 404 || path.includes('/variables');
	if (!there) return;
	const conversation = sim.store.addConversation(app, user, {
		id: UUID.exec(path)?.[0] ?? '',
		introduction: isJson(json) && typeof json.introduction === 'string' ? json.introduction : '',
		inputs: isJson(json) && isJson(json.inputs) ? json.inputs : {},
	});
	sim.store.addMessage(app, conversation);
	const shown = isJson(json) && Array.isArray(json.data) ? (json.data as Json[]) : undefined;
	if (!path.includes('/variables')) return;
	conversation.variables = VARIABLES.filter(
		({ id }) => shown?.some((each) => each.id === id) ?? recorded.url.includes(id),
	).map((each) => ({ description: '', createdAt: 1, updatedAt: 1, ...each }));
}

function oneMessage(scene: Scene, sim: DifySim, app: SimApp): void {
	const { path, recorded, user, answer } = scene;
	const id = UUID.exec(path)?.[0];
	if (id === undefined) return;
	const conversation = sim.store.addConversation(app, user);
	sim.store.addMessage(app, conversation, { id });
	if (recorded.body?.rating === null && answer.status === 200)
		rate(sim, app, id, conversation.id, user, { rating: 'like' });
}

function feedbacks({ json, user }: Scene, sim: DifySim, app: SimApp): void {
	for (const each of isJson(json) && Array.isArray(json.data) ? (json.data as Json[]) : []) {
		rate(sim, app, String(each.message_id), String(each.conversation_id), user, each);
	}
}

function preview({ path, answer, user }: Scene, sim: DifySim, app: SimApp): void {
	const id = UUID.exec(path)?.[0];
	if (id === undefined || answer.status === 404) return;
	const file = addFile('', sim, app, id, user);
	file.name = 'dot.png';
	file.attachedTo.add(answer.status === 403 ? 'another app' : app.id);
}
