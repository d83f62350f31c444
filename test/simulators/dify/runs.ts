import {
	appUnavailable,
	checkLimits,
	notString,
	payloadProblems,
	prepareAs,
	type Prepared,
} from './checks';
import { DifyHttpError, invalid, isUuid, missing, pydantic, sendRun, without } from './http';
import { scriptOf, workflowBased } from './plain';
import { Transcript, type RunContext } from './script';
import type { Call, Store } from './store';
import type { Item, Json, SimConversation, SimMessage, SimRun, Turn } from './types';
import { StreamWriter } from './wire';

/** A run in progress: sends its events to all listeners, until it ends or is stopped. */
export interface Live {
	run: SimRun;
	transcript: Transcript;
	writers: Set<StreamWriter>;
	/** Listeners that stay when the run pauses. */
	patient: Set<StreamWriter>;
	stop: boolean;
	wake: () => void;
	/** Index of the next step, at which a paused run resumes. */
	rest: number;
	/** Whether no client read the end. */
	unread: boolean;
	message?: SimMessage;
	done: Promise<void>;
}

const lives = new WeakMap<SimRun, Live>();

export function liveOf(run: SimRun): Live | undefined {
	return lives.get(run);
}

const NOT_CHAT = () =>
	new DifyHttpError(
		400,
		'not_chat_app',
		'Please check if your app mode matches the right API route.',
	);

export function needChat(call: Call): void {
	const { mode } = call.app;
	const newAgent = mode === 'agent';
	if (mode !== 'chat' && mode !== 'agent-chat' && mode !== 'advanced-chat' && !newAgent)
		throw NOT_CHAT();
}

export async function chatMessages(call: Call): Promise<void> {
	needChat(call);
	const { payload, app } = call;
	const problems = payloadProblems(payload);
	if (!('query' in payload)) problems.push(missing('query', payload));
	else if (typeof payload.query !== 'string') problems.push(notString('query', payload.query));
	const conversationId =
		typeof payload.conversation_id === 'string' ? payload.conversation_id.trim() : '';
	if (conversationId !== '' && !isUuid(conversationId)) {
		problems.push({
			field: 'conversation_id',
			text: 'Value error, conversation_id must be a valid UUID',
			type: 'value_error',
			input: payload.conversation_id,
		});
	}
	if (problems.length > 0) throw pydantic('ChatRequestPayload', problems);
	const agent = app.mode === 'agent-chat';
	const mode = payload.response_mode ?? (app.mode === 'agent' ? 'streaming' : 'blocking');
	if (mode === 'blocking' && agent) throw invalid('Agent Chat App does not support blocking mode');
	if (mode === 'blocking' && app.mode === 'agent') {
		throw new DifyHttpError(400, 'bad_request', 'Agent App only supports streaming response mode.');
	}
	if (app.published === false && app.mode === 'agent') {
		throw new DifyHttpError(400, 'agent_not_published', 'Agent not published');
	}
	await startRun(
		call,
		mode === 'streaming',
		conversationId === '' ? undefined : conversationId,
		versionOf(call),
	);
}

export async function completionMessages(call: Call): Promise<void> {
	if (call.app.mode !== 'completion') throw appUnavailable();
	const problems = payloadProblems(call.payload);
	const { query } = call.payload;
	if (query !== undefined && typeof query !== 'string') problems.push(notString('query', query));
	if (problems.length > 0) throw pydantic('CompletionRequestPayload', problems);
	await startRun(call, call.payload.response_mode === 'streaming', undefined, undefined);
}

export async function workflowsRun(call: Call): Promise<void> {
	if (call.app.mode !== 'workflow') throw notWorkflow();
	const problems = payloadProblems(call.payload);
	if (problems.length > 0) throw pydantic('WorkflowRunPayload', problems);
	await startRun(
		call,
		call.payload.response_mode === 'streaming',
		undefined,
		call.ids[0] ?? versionOf(call),
	);
}

export const notWorkflow = () =>
	new DifyHttpError(
		400,
		'not_workflow_app',
		'Please check if your app mode matches the right API route.',
	);

function versionOf(call: Call): string | undefined {
	const { workflow_id: id } = call.payload;
	return typeof id === 'string' && id !== '' && workflowBased(call.app.mode) ? id : undefined;
}

async function startRun(
	call: Call,
	streaming: boolean,
	conversationId: string | undefined,
	version: string | undefined,
): Promise<void> {
	const { app, store } = call;
	checkLimits(call, streaming);
	const prepared = prepareAs(call, streaming, conversationId, version);
	if (prepared instanceof DifyHttpError) {
		await bareError(call, prepared);
		return;
	}
	if (inWorker(call, streaming) && store.worker === 'down') {
		await queued(call, prepared);
		return;
	}
	const { live } = createLive(call, prepared, streaming);
	if (streaming) {
		const writer = writerOf(call, live);
		writer.start({});
		await live.done;
		return;
	}
	await live.done;
	answerBlocking(call, live, app.mode);
}

async function bareError(call: Call, failure: DifyHttpError): Promise<void> {
	const writer = new StreamWriter(call.res, call.store.stream, call.store.clock, () => undefined);
	writer.start({});
	await writer.write({ kind: 'ping' });

	for (const event of madeUpRun(call, failure.message))
		await writer.write({ kind: 'event', event });
	await writer.finish(false);
}

/** 1.16 reports input errors as events of a run that does not exist (docs/protocols/dify.md 12.3). */
function madeUpRun({ app, store, payload }: Call, error: string): Json[] {
	const id = store.newId('run');
	const now = store.now();
	const [task, times] = [
		{ task_id: id, workflow_run_id: id },
		{ created_at: now, finished_at: now },
	];
	const none = {
		outputs: null,
		elapsed_time: 0,
		total_tokens: 0,
		total_steps: 0,
		created_by: {},
		files: [],
	};
	const data = { id, workflow_id: app.workflowId };
	return [
		{
			event: 'workflow_started',
			...task,
			data: { ...data, inputs: payload.inputs, created_at: now, reason: 'initial' },
		},
		{
			event: 'workflow_finished',
			...task,
			data: { ...data, status: 'failed', ...none, error, ...times, exceptions_count: 1 },
		},
	];
}

/** Whether the run is executed by a worker: newer versions do so for streamed workflows. */
function inWorker({ app }: Call, streaming: boolean): boolean {
	return streaming && workflowBased(app.mode);
}

/** The worker is down: one ping, then nothing until it is back. Then the run is executed, even without a reader. */
async function queued(call: Call, prepared: Prepared): Promise<void> {
	const { store } = call;
	const writer = new StreamWriter(call.res, store.stream, store.clock, () => undefined);
	writer.start({});
	await writer.write({ kind: 'ping' });
	writer.fallSilent();
	await store.workerIsUp();
	await createLive(call, prepared, true).live.done;
	await writer.finish(false);
}

function createLive(
	call: Call,
	prepared: Prepared,
	streaming: boolean,
): { run: SimRun; live: Live } {
	const { app, store, user, payload } = call;
	const { inputs, files, workflowId } = prepared;
	const query = typeof payload.query === 'string' ? payload.query.replaceAll('\u0000', '') : '';
	const chat = app.mode !== 'completion' && app.mode !== 'workflow';
	const known = prepared.conversation;
	const conversation = chat
		? (known ??
			store.addConversation(app, user.sessionId, { inputs, name: titleOf(query, payload) }))
		: undefined;
	const earlier = [...app.messages.values()].filter(
		(each) => each.conversationId === conversation?.id,
	);
	const turn: Turn = {
		query,
		inputs,
		files,
		user: user.sessionId,
		turn: earlier.length + 1,
		conversationId: conversation?.id ?? '',
	};
	const script = scriptOf((app.reply ?? defaultReply)(turn), app.mode);
	if (script.refuse !== undefined && !inWorker(call, streaming)) {
		const { status, code, message } = script.refuse;
		throw new DifyHttpError(status, code, message);
	}
	const context: RunContext = {
		mode: app.mode,
		conversationId: conversation?.id ?? '',
		messageId: store.newId('message'),
		taskId: store.newId('task'),
		runId: store.newId('run'),
		workflowId,
		appId: app.id,
		endUserId: user.id,
		user: user.sessionId,
		query,
		inputs,
		files,
		dialogueCount: turn.turn,
		createdAt: store.now(),
		newId: (kind) => store.newId(kind),
	};
	const run: SimRun = {
		taskId: context.taskId,
		workflowRunId: workflowBased(app.mode) ? context.runId : undefined,
		workflowId,
		app,
		user: user.sessionId,
		conversationId: conversation?.id,
		messageId: app.mode === 'workflow' ? undefined : context.messageId,
		query,
		inputs,
		files,
		responseMode: streaming ? 'streaming' : 'blocking',
		status: 'running',
		answer: '',
		outputs: {},
		events: [],
		clientLeft: false,
		startedAt: context.createdAt,
	};
	app.runCount++;
	store.runs.push(run);
	if (conversation !== undefined) conversation.updatedAt = context.createdAt;
	const message = messageOf(call, run, conversation, earlier.at(-1)?.id ?? null);
	const live: Live = {
		run,
		transcript: new Transcript(script, context),
		writers: new Set(),
		patient: new Set(),
		stop: false,
		wake: () => undefined,
		rest: 0,
		unread: false,
		message,
		done: Promise.resolve(),
	};
	lives.set(run, live);
	live.done = play(store, live, live.transcript.opening());
	return { run, live };
}

function titleOf(query: string, payload: Json): string {
	return payload.auto_generate_name === false
		? 'New conversation'
		: [...query].slice(0, 20).join('');
}

function defaultReply(turn: Turn): string {
	return `You said: ${turn.query}`;
}

/** Creates the message's record at once, so that feedback and lists find it during the run. */
function messageOf(
	call: Call,
	run: SimRun,
	conversation: SimConversation | undefined,
	parentId: string | null,
): SimMessage | undefined {
	if (run.messageId === undefined) return undefined;
	const message: SimMessage = {
		id: run.messageId,
		conversationId: conversation?.id ?? '',
		parentId,
		userId: call.user.id,
		source: 'api',
		inputs: run.inputs,
		query: run.query,
		answer: '',
		status: 'normal',
		error: null,
		createdAt: run.startedAt,
		files: run.files,
		thoughts: [],
		resources: [],
	};
	call.app.messages.set(message.id, message);
	return message;
}

function writerOf(call: Call, live: Live): StreamWriter {
	const writer = new StreamWriter(call.res, call.store.stream, call.store.clock, () => {
		live.run.clientLeft = true;
		live.writers.delete(writer);
	});
	live.writers.add(writer);
	return writer;
}

/** Executes the run. Like Dify, it continues after the client disconnects: only a stop ends it early (docs/protocols/dify.md 2.7). */
export async function play(store: Store, live: Live, opening: Item[]): Promise<void> {
	const { transcript } = live;
	const { steps } = transcript.script;
	// Wait a microtask, since the caller attaches its writer right after this call.
	await Promise.resolve();
	await emitAll(store, live, opening, false);
	while (live.rest < steps.length && transcript.status === 'running' && !live.stop) {
		const step = steps[live.rest++];
		if (step !== undefined)
			await emitAll(store, live, transcript.step(step), transcript.status !== 'running');
	}
	live.unread = live.run.clientLeft && live.writers.size === 0;
	if (transcript.status === 'running')
		await emitAll(store, live, transcript.ending(live.stop ? 'stopped' : undefined), true);
	settle(store, live);
	const open = holdsOpen(live);
	if (open && inWorkerRun(live)) for (const writer of live.writers) writer.fallSilent();
	const leaving = [...live.writers].filter(
		(writer) => live.run.status !== 'paused' || !live.patient.has(writer),
	);
	for (const writer of leaving) live.writers.delete(writer);
	await Promise.all(leaving.map(async (writer) => await writer.finish(open)));
}

function pauseBefore({ stream }: Store, { run }: Live, item: Item): number | Promise<unknown> {
	if (item.kind === 'wait') return item.for;
	if (item.kind !== 'event') return 0;
	return stream.beforeEvent?.(run) ?? stream.delayMs ?? 0;
}

/** Emits items. A stop cuts the events of a step, but not those of an ending. */
async function emitAll(store: Store, live: Live, items: Item[], ending: boolean): Promise<void> {
	for (const [at, item] of items.entries()) {
		if (live.stop && !ending) return;
		const pause = pauseBefore(store, live, item);
		if (pause !== 0) await store.clock.sleep(pause, (waker) => (live.wake = waker));
		if (live.stop && !ending) return;
		if (item.kind === 'event') live.run.events.push(item.event);
		if (item.kind === 'event' && item.event.event === 'agent_thought')
			keepThought(live, item.event);
		const last = ending && at === items.length - 1;
		await Promise.all([...live.writers].map(async (writer) => await writer.write(item, last)));
	}
}

/** Dify stores a thought before it sends it. */
function keepThought({ message }: Live, { id, ...event }: Json): void {
	if (message === undefined) return;
	const { position, thought, tool, tool_labels, tool_input, observation, message_files } = event;
	const known = message.thoughts.filter((each) => each.id !== id);
	const fields = { thought, tool, tool_labels, tool_input, observation, message_files };
	message.thoughts = [...known, { id, position, ...fields }];
}

/** Whether the socket stays open at the end: newer servers do so after an error (docs/protocols/dify.md 3.7). */
function holdsOpen(live: Live): boolean {
	if (!workflowBased(live.run.app.mode)) return false;
	return live.run.events.some((event) => event.event === 'error');
}

function inWorkerRun({ run }: Live): boolean {
	return workflowBased(run.app.mode);
}

/** The message is saved while its stream is read, unless a worker does that: without a reader the answer stays empty. */
function answerOf(live: Live): string {
	return live.unread && !inWorkerRun(live) ? '' : live.run.answer;
}

/** Saved thoughts; that of the round that a stop cut is missing. */
function thoughtsOf(live: Live): Json[] {
	const { thoughts } = live.transcript;
	const last = thoughts.at(-1);
	if (!live.stop || last === undefined) return thoughts;
	const thought = live.unread ? live.transcript.text : '';
	return [...thoughts.slice(0, -1), { ...last, thought }];
}

function settle(store: Store, live: Live): void {
	const { run, transcript, message } = live;
	run.status = transcript.status;
	run.answer = run.app.mode === 'agent-chat' ? transcript.stored.join('') : transcript.text;
	run.outputs = transcript.outputs;
	run.error = transcript.error;
	if (run.status !== 'paused') run.finishedAt = store.now();
	if (message === undefined) return;
	message.answer = answerOf(live);
	message.status =
		run.status === 'failed' ? 'error' : run.status === 'paused' ? 'paused' : 'normal';
	message.error = run.status === 'failed' ? failureText(live) : null;
	message.thoughts = thoughtsOf(live);
	message.resources = transcript.script.resources ?? [];
	message.files = [...run.files, ...transcript.assistantFiles];
}

function failureText({ run }: Live): string {
	return workflowBased(run.app.mode) ? `Run failed: ${run.error ?? ''}` : (run.error ?? '');
}

function answerBlocking(call: Call, live: Live, mode: string): void {
	const { run, transcript } = live;
	const { res } = call;
	const failure = run.events.find((event) => event.event === 'error');
	if (failure !== undefined) {
		const { code, status, message } = failure as { code: string; status: number; message: string };
		throw new DifyHttpError(status, code, message);
	}
	if (mode === 'workflow') {
		sendRun(res, workflowAnswer(call.store, run));
		return;
	}
	if (run.status === 'failed') throw invalid(`Run failed: ${run.error ?? ''}`);
	const conversation = mode === 'completion' ? {} : { conversation_id: run.conversationId };
	const head = {
		task_id: run.taskId,
		id: run.messageId,
		message_id: run.messageId,
		...conversation,
	};
	const tail = {
		mode,
		answer: run.answer,
		metadata: transcript.metadata(),
		created_at: run.startedAt,
	};
	if (run.status === 'paused') {
		const data = without((run.events.at(-1) as { data: Json }).data, 'outputs');
		const ids = without(head, 'task_id');
		tail.metadata = { ...tail.metadata, usage: null };
		const repeated = { ...ids, ...tail, workflow_run_id: run.workflowRunId, ...data };
		sendRun(res, {
			event: 'workflow_paused',
			...head,
			...tail,
			workflow_run_id: run.workflowRunId,
			data: repeated,
		});
		return;
	}
	sendRun(res, { event: 'message', ...head, ...tail });
}

function workflowAnswer(store: Store, run: SimRun): Json {
	const end = run.events.at(-1) as { data: Json };
	const { data } = end;
	const paused = run.status === 'paused';
	return {
		task_id: run.taskId,
		workflow_run_id: run.workflowRunId,
		data: {
			id: run.workflowRunId,
			workflow_id: run.workflowId,
			status: run.status,
			outputs: run.outputs,
			error: run.error ?? null,
			elapsed_time: data.elapsed_time,
			total_tokens: data.total_tokens,
			total_steps: data.total_steps,
			created_at: run.startedAt,
			finished_at: paused ? null : store.now(),
			...(paused ? { paused_nodes: data.paused_nodes, reasons: data.reasons } : {}),
		},
	};
}

/** Always answers success; whether the run stops depends on app type and version (docs/protocols/dify.md 2.2, 2.4). */
export function stop(call: Call, mayReach: (run: SimRun) => boolean): void {
	const { store, app, user, ids } = call;
	const taskId = ids[0] ?? '';
	const run = store.runs.find(
		(each) => each.app === app && each.taskId === taskId && each.status === 'running',
	);
	const hit = run !== undefined && mayReach(run);
	store.stops.push({ taskId, user: user.sessionId, mode: app.mode, hit });
	const live = run === undefined ? undefined : lives.get(run);
	if (hit && live !== undefined) {
		live.stop = true;
		live.wake();
	}
	call.reply(200, { result: 'success' });
}

export function stopChat(call: Call): void {
	needChat(call);
	stop(call, (run) => run.user === call.user.sessionId);
}

export function stopCompletion(call: Call): void {
	if (call.app.mode !== 'completion') throw appUnavailable();
	stop(call, (run) => run.user === call.user.sessionId);
}

export function stopWorkflow(call: Call): void {
	if (call.app.mode !== 'workflow') throw notWorkflow();
	stop(call, () => true);
}
