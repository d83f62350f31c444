import { checkFiles, checkInputs } from './inputs';
import { DifyHttpError, invalid, isJson, isUuid, missing, notFound } from './http';
import type { PydanticProblem } from './http';
import { workflowBased } from './plain';
import type { Call } from './store';
import type { Json, SimApp, SimConversation } from './types';

export const appUnavailable = () =>
	new DifyHttpError(
		400,
		'app_unavailable',
		'App unavailable, please check your app configurations.',
	);

export function notString(field: string, input: unknown): PydanticProblem {
	return { field, text: 'Input should be a valid string', type: 'string_type', input };
}

export function payloadProblems(payload: Json): PydanticProblem[] {
	const problems: PydanticProblem[] = [];
	const { inputs, response_mode: mode, files } = payload;
	if (!('inputs' in payload)) problems.push(missing('inputs', payload));
	else if (!isJson(inputs)) {
		problems.push({
			field: 'inputs',
			text: 'Input should be a valid dictionary',
			type: 'dict_type',
			input: inputs,
		});
	}
	if (mode !== undefined && mode !== null && mode !== 'blocking' && mode !== 'streaming') {
		const text = "Input should be 'blocking' or 'streaming'";
		problems.push({ field: 'response_mode', text, type: 'literal_error', input: mode });
	}
	if (files !== undefined && files !== null && !Array.isArray(files)) {
		problems.push({
			field: 'files',
			text: 'Input should be a valid list',
			type: 'list_type',
			input: files,
		});
	}
	return problems;
}

export interface Prepared {
	conversation: SimConversation | undefined;
	inputs: Json;
	files: Json[];
	workflowId: string;
}

/** Checks before a run: immediate in 1.12, by a background worker in newer workflow-based apps. */
function prepare(
	call: Call,
	conversationId: string | undefined,
	version: string | undefined,
): Prepared {
	const { app, store, payload, user } = call;
	if (workflowBased(app.mode) && app.published === false) throw invalid('Workflow not published');
	if (!workflowBased(app.mode) && app.configured === false) throw appUnavailable();
	const workflowId = checkVersion(call, version);
	if (app.mode !== 'completion' && app.mode !== 'workflow' && payload.query === '')
		throw invalid('query is required');
	const conversation =
		conversationId === undefined ? undefined : store.conversationOf(app, conversationId, user.id);
	if (conversationId !== undefined && conversation === undefined)
		throw notFound('Conversation Not Exists.');
	if (conversation?.status === 'completed') {
		const text = 'The conversation has ended. Please start a new conversation.';
		throw new DifyHttpError(400, 'conversation_completed', text);
	}
	const files = checkFiles(store, app, user, payload.files);
	return {
		conversation,
		files,
		inputs: checkInputs(store, app, user, payload.inputs as Json),
		workflowId,
	};
}

function checkVersion(call: Call, version: string | undefined): string {
	const { app } = call;
	if (version === undefined) return app.workflowId;
	if (version === 'draft' && call.ids[0] === undefined) {
		throw new DifyHttpError(
			400,
			'bad_request',
			`Cannot use draft workflow version. Workflow ID: ${version}`,
		);
	}
	if (version.toLowerCase() === app.draft) {
		const hint = 'Please use a published workflow version or leave workflow_id empty.';
		throw new DifyHttpError(
			400,
			'bad_request',
			`Cannot use draft workflow version. Workflow ID: ${app.draft}. ${hint}`,
		);
	}
	if (!isUuid(version))
		throw new DifyHttpError(400, 'bad_request', `Invalid workflow_id format: '${version}'. `);
	if (version !== app.workflowId && !(app.versions ?? []).includes(version.toLowerCase())) {
		throw notFound(`Workflow not found with id: ${version}`);
	}
	return version;
}

/** In the source the exception is caught as a ValueError first; the docs say 429 (docs/protocols/dify.md 5.1). */
export function checkLimits(call: Call, streaming: boolean): void {
	const { app, store } = call;
	const maxActive = app.maxActive ?? 0;
	const active = store.runs.filter((run) => run.app === app && run.status === 'running');
	const places = active.reduce(
		(sum, run) => sum + placesOf(app, run.responseMode === 'streaming'),
		0,
	);
	if (maxActive === 0 || places + placesOf(app, streaming) <= maxActive) return;
	const text = `Too many requests. Please try again later. The current maximum concurrent requests allowed for ${app.id} is ${maxActive}.`;

	throw invalid(text);
}

/** Runs that one request counts as: API and worker both count streamed runs, of chatflows in 1.14, of workflows too in 1.16. */
function placesOf(app: SimApp, streaming: boolean): number {
	return streaming && workflowBased(app.mode) ? 2 : 1;
}

/**
 * Runs the checks like the worker of newer versions, which reports failures as a bare error event (docs/protocols/dify.md
 * 3.7).
 */
export function prepareAs(
	call: Call,
	streaming: boolean,
	conversationId: string | undefined,
	version: string | undefined,
): Prepared | DifyHttpError {
	const worker = streaming && workflowBased(call.app.mode);
	try {
		return prepare(call, conversationId, version);
	} catch (error) {
		const failure = error as DifyHttpError;
		// Versions are resolved before the worker starts; the main branch looks up the conversation then, too.
		const eager =
			failure.message.startsWith('Conversation Not Exists') ||
			/workflow_id|Workflow|workflow version/.test(failure.message);
		return worker && !eager ? failure : raise(failure);
	}
}

function raise(error: Error): never {
	throw error;
}
