import { DifyHttpError, notFound } from './http';
import { appUnavailable } from './checks';
import { fileUploadFeature, SYSTEM_PARAMETERS } from './files';
import { resume } from './follow';
import { notWorkflow, liveOf } from './runs';
import { workflowBased } from './plain';
import type { IssuedForm } from './script';
import type { Call } from './store';
import type { FormField, Json, SimRun } from './types';

/** Descriptions of an app, stored workflow runs and forms (docs/protocols/dify.md 2.4, 2.5, 2.11). */
export function info({ app, reply }: Call): void {
	const { name, mode } = app;
	reply(200, { name, description: '', tags: [], mode, author_name: 'Simulator' });
}

export function parameters({ app, reply }: Call): void {
	if (app.published === false || app.configured === false) {
		throw app.mode === 'agent'
			? new DifyHttpError(400, 'agent_not_published', 'Agent not published')
			: appUnavailable();
	}
	reply(200, {
		opening_statement: '',
		suggested_questions: [],
		suggested_questions_after_answer: { enabled: app.suggestedQuestions !== undefined },
		speech_to_text: { enabled: app.speechToText === true },
		text_to_speech: { enabled: app.textToSpeech === true, voice: app.voice ?? '', language: '' },
		retriever_resource: { enabled: true },
		annotation_reply: { enabled: false },
		more_like_this: { enabled: false },
		user_input_form: (app.form ?? []).map((field) =>
			workflowBased(app.mode) ? toNodeField(field) : toEasyField(field),
		),
		sensitive_word_avoidance: { enabled: false, type: '', config: {} },
		file_upload: fileUploadFeature(app),
		system_parameters: SYSTEM_PARAMETERS,
	});
}

/** A field of a chatbot's form: has only the properties of its kind, and always a default. */
function toEasyField(field: FormField): Json {
	const { kind, variable, options, allowedTypes } = field;
	const own: Json = {
		label: field.label ?? variable,
		variable,
		required: field.required ?? false,
		default: field.default ?? '',
		...(options === undefined ? {} : { options }),
		...(allowedTypes === undefined ? {} : { allowed_file_types: allowedTypes }),
	};
	return { [kind]: own };
}

/** A field of a start node: every kind has length and options, only some have a default. */
function toNodeField(field: FormField): Json {
	const { kind, variable } = field;
	const own: Json = {
		variable,
		label: field.label ?? variable,
		type: kind,
		required: field.required ?? false,
		max_length: 48,
		options: field.options ?? [],
		...(field.default === undefined ? {} : { default: field.default }),
	};
	const isFile = kind === 'file' || kind === 'file-list';
	return { [kind]: isFile ? { ...own, allowed_file_types: field.allowedTypes ?? [] } : own };
}

export const meta = ({ reply }: Call): void => reply(200, {});

export const site = ({ app, reply }: Call): void => reply(200, { title: app.name, icon: '🤖' });

/** docs/protocols/dify.md 2.4. */
export function workflowRunDetail({ store, app, ids, reply }: Call): void {
	if (!workflowBased(app.mode)) throw notWorkflow();
	const run = store.runs.find((each) => each.app === app && each.workflowRunId === ids[0]);
	if (run === undefined) throw notFound('Workflow run not found.');
	const end = run.events.findLast((event) => event.event === 'workflow_finished');
	const data = (end?.data ?? {}) as Json;
	reply(200, {
		id: run.workflowRunId,
		workflow_id: run.workflowId,
		status: run.status,
		inputs: JSON.stringify(run.inputs),
		outputs: run.outputs,
		error: run.error ?? null,
		total_steps: data.total_steps ?? 0,
		total_tokens: data.total_tokens ?? 0,
		created_at: run.startedAt,
		finished_at: run.finishedAt ?? null,
		elapsed_time: data.elapsed_time ?? 0,
	});
}

/** Submitted forms. */
const submitted = new WeakSet<IssuedForm>();

function findOpenForm({ store, app, ids }: Call): { run: SimRun; issued: IssuedForm } {
	const forms = store.runs
		.filter((run) => run.app === app)
		.flatMap((run) => (liveOf(run)?.transcript.forms ?? []).map((issued) => ({ run, issued })));
	const found = forms.find(({ issued: { token } }) => token !== null && token === ids[0]);
	if (found === undefined) throw notFound('Form not found');
	const { formId, expiresAt } = found.issued;
	if (submitted.has(found.issued)) {
		const text = `This form has already been submitted by another user, form_id=${formId}`;
		throw new DifyHttpError(412, 'human_input_form_submitted', text);
	}
	if (expiresAt <= store.now()) {
		const text = `This form has expired, form_id=${formId}`;
		throw new DifyHttpError(412, 'human_input_form_expired', text);
	}
	return found;
}

export function readForm(call: Call): void {
	const { form, expiresAt } = findOpenForm(call).issued;
	call.reply(200, {
		form_content: form.content,
		inputs: form.inputs ?? [],
		resolved_default_values: form.defaults ?? {},
		user_actions: form.actions,
		expiration_time: expiresAt,
	});
}

/** A refused submission leaves the form open, an accepted one is final (docs/protocols/dify.md 2.5). */
export function submitForm(call: Call): void {
	const { store, payload } = call;
	const { run, issued } = findOpenForm(call);
	const action = String(payload.action);
	if (!issued.form.actions.some(({ id }) => id === action))
		throw new DifyHttpError(400, 'invalid_form_data', `Invalid action: ${action}`);
	const inputs = payload.inputs as Json;
	const missing = (issued.form.inputs ?? [])
		.map(({ output_variable_name: name }) => String(name))
		.filter((name) => inputs[name] === undefined);
	if (missing.length > 0) {
		const text = `Missing required inputs: ${missing.join(', ')}`;
		throw new DifyHttpError(400, 'invalid_form_data', text);
	}
	submitted.add(issued);
	resume(store, run, { formId: issued.formId, action, inputs });
	call.reply(200, {});
}
