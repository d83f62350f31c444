import { isJson } from '../http';
import type { DifySim } from '../../dify';
import type { FormStep, Json, Script, SimApp } from '../types';
import { eventsOf } from './compare';
import { joinedRun } from './joined-run';
import type { Scene } from './scene';
import { post } from './send';

/** A form that asks for a note, and in workflows also for a choice. */
function formOf(token: string, scene: Scene): FormStep {
	const { json } = scene;
	const isNewer = scene.version === '1.16.0';
	const note = {
		output_variable_name: isNewer ? 'comment' : 'note',
		type: 'paragraph',
		default: { type: 'constant', selector: [], value: '' },
	};
	const pick = {
		output_variable_name: 'pick',
		type: 'select',
		option_source: { value: isNewer ? ['red', 'green'] : ['Rot', 'Grün'] },
	};
	const inputs = isNewer || scene.recorded.name.startsWith('human-wf') ? [note, pick] : [note];
	return {
		formId: '01a1fa80-02f7-7425-9203-4169d479367e',
		nodeId: 'human',
		nodeTitle: 'Human',
		content: isJson(json) ? String(json.form_content) : '',
		inputs: isJson(json) && Array.isArray(json.inputs) ? (json.inputs as Json[]) : inputs,
		actions: ['approve', 'reject'].map((id) => ({ id, title: id, button_style: 'primary' })),
		token: /wfno/.test(scene.recorded.name) ? null : token,
		...(scene.recorded.name.includes('nofollow') ? { inputs: [] } : {}),
	};
}

/** Creates the earlier run that a form, a record or a replay refers to. */
export async function pastRun(scene: Scene, sim: DifySim, app: SimApp): Promise<void> {
	const { path, answer } = scene;
	const [, token] = /^\/v1\/form\/human_input\/(.+)$/.exec(path) ?? [];
	const [, id] = /^\/v1\/workflows?\/(?:run\/)?([0-9a-f-]{36})/.exec(path) ?? [];
	const known = !isJson(scene.json) || scene.json.id !== null;
	if (path.endsWith('/run')) return;
	if ((token === undefined && id === undefined) || answer.status === 404 || !known) return;
	if (id !== undefined && (await joinedRun(scene, sim, app, id))) return;
	const script =
		token === undefined ? recordedRun(scene) : { steps: [{ pause: [formOf(token, scene)] }] };
	app.reply = () => script;
	const chat = app.mode !== 'workflow';
	const body = {
		inputs: {},
		...(chat ? { query: 'q' } : {}),
		user: scene.user,
		response_mode: 'blocking',
	};
	await post(sim, app, chat ? '/v1/chat-messages' : '/v1/workflows/run', body);
	const [run] = sim.runs;
	if (run !== undefined) run.workflowRunId = id?.toLowerCase() ?? run.workflowRunId;
	// Before 1.16 the record of a stopped run says `running`, too.
	if (
		run !== undefined &&
		scene.version === '1.16.0' &&
		isJson(scene.json) &&
		scene.json.status === 'running'
	)
		Object.assign(run, { status: 'running', error: undefined, finishedAt: undefined });
	if (answer.status === 412 && token !== undefined) {
		const filled = {
			user: scene.user,
			action: 'approve',
			inputs: { note: 'n', comment: 'n', pick: scene.version === '1.16.0' ? 'red' : 'Rot' },
		};
		await post(sim, app, `/v1/form/human_input/${token}`, filled);
	}
}

function recordedRun({ json, answer }: Scene): Script {
	const [event] = eventsOf(answer.body);
	const data = isJson(json) ? json : isJson(event?.data) ? event.data : {};
	const paused = data.status === 'paused' || (event !== undefined && event.event === 'ping');
	const form: FormStep = { nodeId: 'human', nodeTitle: 'Human', content: '', actions: [] };
	return {
		steps: paused ? [{ pause: [form] }] : [],
		outputs: (typeof data.outputs === 'string'
			? JSON.parse(data.outputs)
			: (data.outputs ?? {})) as Json,
		fail: data.status === 'failed' ? String(data.error) : undefined,
		stopped: stoppedBy(data),
		exceptions:
			data.status === 'partial-succeeded' ? 1 : (data.exceptions_count as number | undefined),
	};
}

function stoppedBy({ status, error }: Json): string | undefined {
	if (status === 'stopped') return String(error);
	return status === 'running' ? 'Stopped by user.' : undefined;
}
