import { isReportedByWorker, prepare, appUnavailable } from './checks';
import type { Prepared } from './checks';
import { DifyHttpError } from './http';
import { scriptOf, workflowBased } from './plain';
import { Transcript } from './script';
import type { RunContext } from './script';
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
	isStopped: boolean;
	wake: () => void;
	/** Index of the next step, at which a paused run resumes. */
	rest: number;
	/** Whether no client read the end. */
	isUnread: boolean;
	message?: SimMessage;
	done: Promise<void>;
}

const lives = new WeakMap<SimRun, Live>();

export function liveOf(run: SimRun): Live | undefined {
	return lives.get(run);
}

const wrongMode = (code: string) =>
	new DifyHttpError(400, code, 'Please check if your app mode matches the right API route.');

export function needChat({ app: { mode } }: Call): void {
	if (mode === 'completion' || mode === 'workflow') throw wrongMode('not_chat_app');
}

export const notWorkflow = () => wrongMode('not_workflow_app');

const textOr = <T>(value: unknown, otherwise: T): string | T =>
	typeof value === 'string' && value !== '' ? value : otherwise;

export async function chatMessages(call: Call): Promise<void> {
	needChat(call);
	const { app, payload } = call;
	if (app.published === false && app.mode === 'agent')
		throw new DifyHttpError(400, 'agent_not_published', 'Agent not published');
	await startRun(call, textOr(payload.conversation_id, undefined), payload.workflow_id);
}

export async function completionMessages(call: Call): Promise<void> {
	if (call.app.mode !== 'completion') throw appUnavailable();
	await startRun(call, undefined, undefined);
}

export async function workflowsRun(call: Call): Promise<void> {
	if (call.app.mode !== 'workflow') throw notWorkflow();
	await startRun(call, undefined, call.ids[0] ?? call.payload.workflow_id);
}

async function startRun(
	call: Call,
	conversationId: string | undefined,
	version: unknown,
): Promise<void> {
	const wanted = workflowBased(call.app.mode) ? textOr(version, undefined) : undefined;
	let prepared: Prepared;
	try {
		prepared = prepare(call, conversationId, wanted);
	} catch (error) {
		if (!(error instanceof DifyHttpError) || !isReportedByWorker(call, error)) throw error;
		await sendMadeUpRun(call, error.message);
		return;
	}
	const live = createLive(call, prepared);
	const writer = new StreamWriter(call.res, call.store.stream, call.store.clock, () => {
		live.run.clientLeft = true;
		live.writers.delete(writer);
	});
	live.writers.add(writer);
	writer.start({});
	await live.done;
}

/** 1.16 reports input errors as events of a run that does not exist (docs/protocols/dify.md 12.3). */
async function sendMadeUpRun({ app, store, payload, res }: Call, error: string): Promise<void> {
	const id = store.newId('run');
	const shared = { task_id: id, workflow_run_id: id };
	const run = { id, workflow_id: app.workflowId, created_at: store.now() };
	const writer = new StreamWriter(res, store.stream, store.clock, () => undefined);
	const send = async (event: string, data: Json) =>
		await writer.write({ kind: 'event', event: { event, ...shared, data: { ...run, ...data } } });
	writer.start({});
	await writer.write({ kind: 'ping' });
	await send('workflow_started', { inputs: payload.inputs, reason: 'initial' });
	const failed = { status: 'failed', outputs: null, total_steps: 0, error, files: [] };
	await send('workflow_finished', failed);
	await writer.finish(false);
}

function createLive(
	call: Call,
	{ conversation: known, inputs, files, workflowId }: Prepared,
): Live {
	const { app, store, user, payload } = call;
	const query = textOr(payload.query, '');
	const isChat = app.mode !== 'completion' && app.mode !== 'workflow';
	const name =
		payload.auto_generate_name === false ? 'New conversation' : [...query].slice(0, 20).join('');
	const conversation = isChat
		? (known ?? store.addConversation(app, user.sessionId, { inputs, name }))
		: undefined;
	const earlier = [...app.messages.values()].filter(
		(each) => each.conversationId === conversation?.id,
	);
	const turn: Turn = {
		query,
		inputs,
		turn: earlier.length + 1,
		conversationId: conversation?.id ?? '',
	};
	const script = scriptOf((app.reply ?? defaultReply)(turn), app.mode);
	if (script.refuse !== undefined && !workflowBased(app.mode)) {
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
		responseMode: String(payload.response_mode),
		status: 'running',
		answer: '',
		outputs: {},
		events: [],
		clientLeft: false,
		startedAt: context.createdAt,
	};
	store.runs.push(run);
	if (conversation !== undefined) conversation.updatedAt = context.createdAt;
	const live: Live = {
		run,
		transcript: new Transcript(script, context),
		writers: new Set(),
		patient: new Set(),
		isStopped: false,
		wake: () => undefined,
		rest: 0,
		isUnread: false,
		message: createMessage(call, run, conversation),
		done: Promise.resolve(),
	};
	lives.set(run, live);
	live.done = play(store, live, live.transcript.opening());
	return live;
}

function defaultReply({ query }: Turn): string {
	return `You said: ${query}`;
}

/** Creates the message's record at once, so that feedback and lists find it during the run. */
function createMessage(
	{ app, user }: Call,
	run: SimRun,
	conversation: SimConversation | undefined,
): SimMessage | undefined {
	if (run.messageId === undefined) return undefined;
	const message: SimMessage = {
		id: run.messageId,
		conversationId: conversation?.id ?? '',
		userId: user.id,
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
	app.messages.set(message.id, message);
	return message;
}

/** Executes the run. Like Dify, it continues after the client disconnects: only a stop ends it early (docs/protocols/dify.md 2.7). */
export async function play(store: Store, live: Live, opening: Item[]): Promise<void> {
	const { transcript, run } = live;
	const { steps } = transcript.script;
	// Wait a microtask, since the caller attaches its writer right after this call.
	await Promise.resolve();
	await emitAll(store, live, opening, false);
	while (live.rest < steps.length && transcript.status === 'running' && !live.isStopped) {
		const step = steps[live.rest++];
		if (step !== undefined)
			await emitAll(store, live, transcript.step(step), transcript.status !== 'running');
	}
	live.isUnread = run.clientLeft && live.writers.size === 0;
	if (transcript.status === 'running')
		await emitAll(store, live, transcript.ending(live.isStopped ? 'stopped' : undefined), true);
	settle(store, live);
	// Workflows leave the socket open after an error (docs/protocols/dify.md 3.7).
	const isLeftOpen =
		workflowBased(run.app.mode) && run.events.some(({ event }) => event === 'error');
	if (isLeftOpen) for (const writer of live.writers) writer.fallSilent();
	const leaving = [...live.writers].filter(
		(writer) => run.status !== 'paused' || !live.patient.has(writer),
	);
	for (const writer of leaving) live.writers.delete(writer);
	await Promise.all(leaving.map(async (writer) => await writer.finish(isLeftOpen)));
}

function pauseBefore({ stream }: Store, { run }: Live, item: Item): number | Promise<unknown> {
	if (item.kind === 'wait') return item.for;
	if (item.kind !== 'event') return 0;
	return stream.beforeEvent?.(run) ?? stream.delayMs ?? 0;
}

/** Emits items. A stop cuts the events of a step, but not those of an ending. */
async function emitAll(store: Store, live: Live, items: Item[], isEnding: boolean): Promise<void> {
	for (const item of items) {
		if (live.isStopped && !isEnding) return;
		const pause = pauseBefore(store, live, item);
		if (pause !== 0) await store.clock.sleep(pause, (waker) => (live.wake = waker));
		if (live.isStopped && !isEnding) return;
		if (item.kind === 'event') live.run.events.push(item.event);
		if (item.kind === 'event' && item.event.event === 'agent_thought')
			keepThought(live, item.event);
		await Promise.all([...live.writers].map(async (writer) => await writer.write(item)));
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

/** Saved thoughts; that of the round that a stop cut is missing. */
function savedThoughts({ transcript, isStopped, isUnread }: Live): Json[] {
	const last = transcript.thoughts.at(-1);
	if (!isStopped || last === undefined) return transcript.thoughts;
	const thought = isUnread ? transcript.text : '';
	return [...transcript.thoughts.slice(0, -1), { ...last, thought }];
}

function settle(store: Store, live: Live): void {
	const { run, transcript, message, isUnread } = live;
	run.status = transcript.status;
	run.answer = run.app.mode === 'agent-chat' ? transcript.stored.join('') : transcript.text;
	run.outputs = transcript.outputs;
	run.error = transcript.error;
	if (run.status !== 'paused') run.finishedAt = store.now();
	if (message === undefined) return;
	// The message is saved while its stream is read, unless a worker does that: without a reader it stays empty.
	message.answer = isUnread && !workflowBased(run.app.mode) ? '' : run.answer;
	message.status =
		run.status === 'failed' ? 'error' : run.status === 'paused' ? 'paused' : 'normal';
	message.error = run.status === 'failed' ? (run.error ?? '') : null;
	message.thoughts = savedThoughts(live);
	message.resources = transcript.script.resources ?? [];
	message.files = [...run.files, ...transcript.assistantFiles];
}

/** Always answers success, whether a run stops or not (docs/protocols/dify.md 2.2, 2.4). */
function stop(call: Call): void {
	const { store, app, user, ids } = call;
	const [taskId = ''] = ids;
	const run = store.runs.find(
		(each) => each.app === app && each.taskId === taskId && each.status === 'running',
	);
	const hit = run !== undefined && (app.mode === 'workflow' || run.user === user.sessionId);
	store.stops.push({ taskId, user: user.sessionId, mode: app.mode, hit });
	const live = run === undefined ? undefined : lives.get(run);
	if (hit && live !== undefined) {
		live.isStopped = true;
		live.wake();
	}
	call.reply(200, { result: 'success' });
}

export function stopChat(call: Call): void {
	needChat(call);
	stop(call);
}

export function stopCompletion(call: Call): void {
	if (call.app.mode !== 'completion') throw appUnavailable();
	stop(call);
}

export function stopWorkflow(call: Call): void {
	if (call.app.mode !== 'workflow') throw notWorkflow();
	stop(call);
}
