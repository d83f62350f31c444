/** Runs of Dify that wait for a person. */
import type { Reaction } from './good-server';

const RUN_ID = '9d1e5b2f-7a40-4b0c-9d1e-5b2f8a6c7d90';
const FORM = {
	form_id: RUN_ID,
	node_id: 'n1',
	node_title: 'Approve',
	form_content: 'Is it right?',
	inputs: [],
	actions: [{ id: 'accept-it', title: 'Accept', button_style: 'primary' }],
};
/** The events of a run that waits for a person. */
const toPausedRun = (formToken: string | null): Reaction => {
	const run = {
		task_id: RUN_ID,
		workflow_run_id: RUN_ID,
		message_id: RUN_ID,
		conversation_id: RUN_ID,
	};
	const events = [
		{ event: 'workflow_started', ...run, data: { id: RUN_ID } },
		{ event: 'human_input_required', ...run, data: { ...FORM, form_token: formToken } },
		{
			event: 'workflow_paused',
			...run,
			data: {
				workflow_run_id: RUN_ID,
				status: 'paused',
				paused_nodes: ['n1'],
				outputs: {},
				reasons: [{ TYPE: 'human_input_required', ...FORM, form_token: formToken }],
			},
		},
	];
	return {
		headers: { 'content-type': 'text/event-stream' },
		body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
	};
};
/** A form in the web app, and one that was sent by email. */
export const PAUSES: Readonly<Record<string, Reaction>> = {
	paused: toPausedRun('a-token'),
	mailed: toPausedRun(null),
};
