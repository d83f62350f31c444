import type { DifyAppMode } from '../../../../lib/dify/types';
import { isJson } from '../http';
import { workflowBased } from '../plain';
import type { FormStep, Json, NodeStep, Script, Step } from '../types';
import type { StreamEvent } from './compare';

/**
 * The script of a recorded run: what the model or workflow did. The simulator must produce the recorded stream from it.
 */
export interface RecoveredScript {
	script: Script;
	/** The user stopped the run after so many events. */
	stopAfter?: number;
}

/** Events that the simulator adds itself. */
const ENDS = ['message_end', 'workflow_finished'];
const OWN = [...ENDS, 'ping'];
const STANDARD = [
	'event',
	'conversation_id',
	'message_id',
	'created_at',
	'task_id',
	'workflow_run_id',
	'id',
];

function nodeOf(data: Json): NodeStep {
	return {
		id: String(data.node_id),
		executionId: String(data.id),
		type: String(data.node_type),
		title: String(data.title),
		status: data.status as NodeStep['status'],
		error: (data.error ?? undefined) as string | undefined,
		inputs: data.inputs,
		outputs: data.outputs,
		extras: data.extras as Json | undefined,
		processData: data.process_data,
		elapsed: data.elapsed_time as number | undefined,
		executionMetadata: data.execution_metadata,
		iterationId: (data.iteration_id ?? undefined) as string | undefined,
		loopId: (data.loop_id ?? undefined) as string | undefined,
		files: data.files as Json[] | undefined,
	};
}

function formOf(data: Json): FormStep {
	return {
		formId: String(data.form_id),
		nodeId: String(data.node_id),
		nodeTitle: String(data.node_title),
		content: String(data.form_content),
		inputs: data.inputs as Json[],
		actions: data.actions as FormStep['actions'],
		token: data.form_token as string | null,
		inWebApp: data.display_in_ui as boolean,
		defaults: data.resolved_default_values as Json,
	};
}

/** Any other event is repeated unchanged. */
function otherStep(event: StreamEvent): Step {
	const fields = Object.entries(event).filter(([key]) => !STANDARD.includes(key));
	const id = event.id === undefined || event.id === event.message_id ? {} : { id: event.id };
	return { emit: event.event, fields: { ...id, ...Object.fromEntries(fields) } };
}

/** The rounds of an agent: a thought, its text, and the thought again, once, or twice if a tool was used. */
function agentSteps(events: StreamEvent[]): Step[] {
	const rounds: StreamEvent[][] = [];
	for (const event of events) {
		const last = rounds.at(-1);
		const fresh = event.event === 'agent_thought' && event.position !== last?.[0]?.position;
		if (fresh || last === undefined) rounds.push([event]);
		else last.push(event);
	}
	return rounds.flatMap(roundSteps);
}

function roundSteps(events: StreamEvent[]): Step[] {
	const pattern = events.map((event) =>
		event.event === 'agent_thought' ? 'T' : event.event === 'agent_message' ? 'm' : 'x',
	);
	const [first] = events;
	const last = events.at(-1);
	const tool = last?.tool !== '';
	if (
		first === undefined ||
		last === undefined ||
		!(tool ? /^Tm*TT$/ : /^Tm*T$/).test(pattern.join(''))
	) {
		return events.map(
			(event): Step =>
				event.event === 'agent_message' ? { text: String(event.answer) } : otherStep(event),
		);
	}
	const texts = events
		.filter((event) => event.event === 'agent_message')
		.map((event) => String(event.answer));
	const used = {
		name: String(last.tool),
		input: String(last.tool_input),
		observation: String(last.observation),
	};
	const label = isJson(last.tool_labels) ? (last.tool_labels[used.name] as Json) : undefined;
	const early = first.thought === '' && first.tool === '';
	return [{ round: { chunks: texts, early, ...(tool ? { tool: { ...used, label } } : {}) } }];
}

function endOf(script: Script, events: StreamEvent[]): void {
	const finished = events.findLast((event) => event.event === 'workflow_finished')?.data;
	if (isJson(finished)) {
		script.outputs = finished.outputs as Json;
		script.elapsed = finished.elapsed_time as number;
		script.totalTokens = finished.total_tokens as number;
		script.totalSteps = finished.total_steps as number;
		script.exceptions = finished.exceptions_count as number;
		script.files = finished.files as Json[];
		if (finished.status === 'failed') script.fail = String(finished.error);
		if (finished.status === 'stopped' && !isStopByUser(finished))
			script.stopped = String(finished.error);
	}
	const end = events.findLast((event) => event.event === 'message_end');
	if (end === undefined) return;
	const metadata = end.metadata as Json;
	script.usage = metadata.usage as Script['usage'];
	script.resources = (metadata.retriever_resources ?? []) as Json[];
	if (metadata.annotation_reply !== null) script.annotationReply = metadata.annotation_reply;
	if (end.files !== null) script.files = end.files as Json[];
}

/** The run failed before its workflow began. */
function refusedAtOnce(events: StreamEvent[], mode: DifyAppMode): Script['refuse'] {
	const error = events.find((event) => event.event === 'error');
	if (
		!workflowBased(mode) ||
		error === undefined ||
		events.some((event) => event.event === 'workflow_started')
	)
		return;
	return { status: Number(error.status), code: String(error.code), message: String(error.message) };
}

export function scriptFromStream(
	events: StreamEvent[],
	mode: DifyAppMode,
	moderated: Script['moderated'],
): RecoveredScript {
	const script: Script = { steps: [], moderated };
	endOf(script, events);
	script.refuse = refusedAtOnce(events, mode);
	if (script.refuse !== undefined) return { script };
	const agent = events.some((event) => event.event === 'agent_thought');
	const stopped = isStopped(events);
	const asked = events.filter((event) => event.event === 'human_input_required');
	const forms = asked.flatMap(({ data }) => (isJson(data) ? [formOf(data)] : []));
	const steps = events.flatMap((event) => stepOf(event, script, mode, forms) ?? []);
	script.steps.push(
		...(agent ? agentSteps(events.filter((event) => !OWN.includes(event.event))) : steps),
	);
	// A chatbot's first ping comes after ten seconds of silence.
	if (events[0]?.event === 'ping' && !workflowBased(mode)) script.steps.unshift({ ping: true });
	const stopAfter = stopped
		? events.filter((event) => !ENDS.includes(event.event)).length
		: undefined;
	if (stopAfter !== undefined) script.steps.push({ wait: new Promise(() => undefined) });
	return { script, stopAfter };
}

/** 1.12 reports a stop as a failure, with 1.16's text for stops. */
function isStopByUser({ status, error }: Json): boolean {
	return (
		error === 'Stopped by user.' ||
		(status === 'stopped' && error === 'Aborted: User requested stop')
	);
}

/** A stopped chatbot has incomplete usage, a workflow the status `stopped`. */
function isStopped(events: StreamEvent[]): boolean {
	return events.some((event) => {
		const { data, metadata } = event;
		if (event.event === 'workflow_finished') return isJson(data) && isStopByUser(data);
		const usage = isJson(metadata) ? metadata.usage : undefined;
		const cut = isJson(usage) && usage.total_price === '0E-7';
		return (
			event.event === 'message_end' &&
			cut &&
			!events.some((each) => each.event === 'message_replace')
		);
	});
}

function stepOf(
	event: StreamEvent,
	script: Script,
	mode: DifyAppMode,
	forms: FormStep[],
): Step | undefined {
	const { data } = event;
	switch (event.event) {
		case 'ping':
		case 'workflow_started':
		case 'workflow_finished':
		case 'message_end':
			return undefined;
		case 'message':
			return {
				text: String(event.answer),
				from: (event.from_variable_selector ?? undefined) as string[] | undefined,
			};
		case 'text_chunk':
			return isJson(data)
				? {
						text: String(data.text),
						from: (data.from_variable_selector ?? undefined) as string[] | undefined,
					}
				: undefined;
		case 'message_file':
			return 'answer' in event ? { text: String(event.answer) } : otherStep(event);
		case 'message_replace':
			return { replace: String(event.answer), reason: String(event.reason) };
		case 'node_started':
			return isJson(data) ? { nodeStart: nodeOf(data) } : undefined;
		case 'node_finished':
			return isJson(data) ? { nodeEnd: nodeOf(data) } : undefined;
		case 'human_input_required':
			return undefined;
		case 'workflow_paused':
			return { pause: forms };
		case 'error':
			// The simulator adds it for a failed chatflow of 1.12.
			if (workflowBased(mode) && script.fail !== undefined) return undefined;
			return {
				error: {
					code: event.code as string | undefined,
					status: Number(event.status),
					message: event.message as string | null,
				},
			};
		default:
			return otherStep(event);
	}
}
