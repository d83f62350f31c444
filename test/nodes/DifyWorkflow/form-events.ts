/** A scripted Dify whose run pauses at forms: the events of the run, the state of each form, and the server. */
import type { ScriptedServer } from '../../support/servers/scripted-server';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';

export const RUN_ID = 'df506b6a-8974-4ad6-8d0b-f2a5dbceac7e';

/** What Dify responds when a form is read. */
interface FormState {
	status: number;
	body: object;
}

export const SUBMITTED: FormState = {
	status: 412,
	body: { code: 'human_input_form_submitted', message: 'Submitted', status: 412 },
};
export const EXPIRED: FormState = {
	status: 412,
	body: { code: 'human_input_form_expired', message: 'Expired', status: 412 },
};
const OPEN: FormState = {
	status: 200,
	body: { form_content: '', inputs: [], user_actions: [{ id: 'ok', title: 'OK' }] },
};

/** One server-sent event of a run. */
export type RunEvent = Record<string, unknown>;

/** An event of the run. */
export function toEvent(event: string, data: object): RunEvent {
	return {
		event,
		workflow_run_id: RUN_ID,
		task_id: '55da5dd1-fa55-49c9-8b5f-32c3111cfe93',
		data,
	};
}

export const STARTED = toEvent('workflow_started', { id: RUN_ID });
export const ENDED = [toEvent('workflow_finished', { status: 'succeeded', outputs: { a: '1' } })];

/** The node of a form has the status: "paused" while it waits, "succeeded" once it was submitted. */
export function toNode(nodeId: string, status: string): RunEvent {
	return toEvent('node_finished', {
		id: `execution-${nodeId}`,
		node_id: nodeId,
		node_type: 'human-input',
		title: nodeId,
		status,
	});
}

const toForm = (name: string): object => ({
	form_id: `form-${name}`,
	node_id: name,
	node_title: name,
	form_token: `token-${name}`,
	actions: [{ id: 'ok', title: 'OK' }],
});

/** The run pauses at the forms with these names; the token of each is `token-<name>`. */
export function toPause(...names: string[]): RunEvent[] {
	return [
		...names.map((name) => toEvent('human_input_required', toForm(name))),
		toEvent('workflow_paused', {
			paused_nodes: names,
			outputs: {},
			status: 'paused',
			reasons: names.map((name) => ({ TYPE: 'human_input_required', ...toForm(name) })),
		}),
	];
}

/** All events from the start of the run to its pause, as Dify sends them again to each attachment. */
export function toReplay(...names: string[]): RunEvent[] {
	return [STARTED, ...names.map((name) => toNode(name, 'paused')), ...toPause(...names)];
}

/** After the form "ask" was submitted, the run pauses at the form "ask2". */
export const SECOND_FORM = [STARTED, toNode('ask', 'succeeded'), ...toReplay('ask2').slice(1)];

interface FormScript {
	/** Events of each attachment; the last one repeats. */
	attachments: RunEvent[][];
	/** State of each form by its token. Default: open until it is submitted. */
	forms?: Record<string, FormState>;
	/** The run record. */
	record?: object;
}

const start = useSimulator(startScripted);

export async function startDify({
	attachments,
	forms = {},
	record = {},
}: FormScript): Promise<ScriptedServer> {
	const submitted = new Set<string>();
	return await start(({ method, path }, response) => {
		const token = /human_input\/([^?]*)/.exec(path)?.[1];
		if (token !== undefined && method === 'POST') {
			submitted.add(token);
			sendJson(response, {});
		} else if (token !== undefined) {
			const { status, body } = forms[token] ?? (submitted.has(token) ? SUBMITTED : OPEN);
			sendJson(response, body, status);
		} else if (path.includes('/events')) {
			const events = attachments.length > 1 ? attachments.shift()! : attachments[0]!;
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
		} else {
			sendJson(response, record);
		}
	});
}

/** Tokens of the forms that an item names. */
export function getTokens({ forms }: Record<string, unknown>): string[] | undefined {
	return (forms as Array<{ formToken: string }> | undefined)?.map(({ formToken }) => formToken);
}
