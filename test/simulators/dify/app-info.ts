import {
	DifyHttpError,
	crashed,
	isUuid,
	missing,
	notFound,
	pydantic,
	sendForm,
	truthy,
} from './http';
import { fileUploadFeature, systemParameters } from './files';
import { resume } from './follow';
import { notWorkflow, liveOf } from './runs';
import { workflowBased } from './plain';
import type { Call, Store } from './store';
import type { FormField, Json, SimApp, SimRun } from './types';

/**
 * Descriptions of an app, stored workflow runs and forms (docs/protocols/dify.md 2.4, 2.5, 2.11).
 */
export function info(call: Call): void {
	const { app } = call;
	const description = app.description ?? '';
	call.reply(200, {
		name: app.name,
		description,
		tags: [],
		mode: app.mode,
		author_name: 'Simulator',
	});
}

export function parameters(call: Call): void {
	const { app, store } = call;
	if (app.published === false || app.configured === false) {
		throw app.mode === 'agent'
			? new DifyHttpError(400, 'agent_not_published', 'Agent not published')
			: new DifyHttpError(
					400,
					'app_unavailable',
					'App unavailable, please check your app configurations.',
				);
	}
	const agent = app.mode === 'agent';
	const voice = agent ? {} : { voice: app.voice ?? '', language: app.language ?? '' };
	const moderation = agent ? { type: '', config: {} } : {};
	call.reply(200, {
		opening_statement: app.openingStatement ?? (agent ? null : ''),
		suggested_questions: [],
		suggested_questions_after_answer: { enabled: Boolean(app.suggestedQuestions) },
		speech_to_text: { enabled: app.speechToText === true },
		text_to_speech: { enabled: app.textToSpeech === true, ...voice },
		retriever_resource: { enabled: true },
		annotation_reply: { enabled: false },
		more_like_this: { enabled: false },
		user_input_form: (app.form ?? []).map((field) =>
			workflowBased(app.mode) ? nodeField(field) : easyField(field),
		),
		sensitive_word_avoidance: { enabled: false, ...moderation },
		file_upload: fileUploadFeature(app),
		system_parameters: systemParameters(store),
	});
}

/** A field of a chatbot's form: has only the properties of its kind, and always a default. */
function easyField(field: FormField): Json {
	const own: Json = {
		label: field.label ?? field.variable,
		variable: field.variable,
		required: field.required ?? false,
		default: field.default ?? '',
	};
	if (field.maxLength !== undefined) own.max_length = field.maxLength;
	if (field.options !== undefined) own.options = field.options;
	if (field.allowedTypes !== undefined) own.allowed_file_types = field.allowedTypes;
	return { [field.kind]: own };
}

/** A field of a start node: every kind has length and options, only some have a default. */
function nodeField(field: FormField): Json {
	const own: Json = {
		variable: field.variable,
		label: field.label ?? field.variable,
		type: field.kind,
		required: field.required ?? false,
		max_length: field.maxLength ?? 48,
		options: field.options ?? [],
	};
	if (field.default !== undefined) own.default = field.default;
	if (field.kind === 'json_object') own.json_schema = null;
	if (field.kind !== 'file' && field.kind !== 'file-list') return { [field.kind]: own };
	const methods = ['local_file', 'remote_url'];
	const files = { allowed_file_types: field.allowedTypes ?? [], allowed_file_extensions: [] };
	return { [field.kind]: { ...own, ...files, allowed_file_upload_methods: methods } };
}

export function meta(call: Call): void {
	const { app } = call;
	const agent = app.mode === 'agent-chat';
	const icons = agent ? { time: { background: '#252525', content: '🕛' } } : {};
	call.reply(200, { tool_icons: icons });
}

export function site(call: Call): void {
	call.reply(200, {
		title: call.app.name,
		chat_color_theme: null,
		chat_color_theme_inverted: false,
		icon_type: 'emoji',
		icon: '🤖',
		icon_background: '#FFEAD5',
		icon_url: null,
		description: null,
		copyright: null,
		privacy_policy: null,
		input_placeholder: null,
		custom_disclaimer: '',
		default_language: 'en-US',
		show_workflow_steps: true,
		use_icon_as_answer_icon: false,
	});
}

function storedRun(store: Store, app: SimApp, id: string): SimRun | undefined {
	return store.runs.find((each) => each.app === app && each.workflowRunId === id);
}

/** docs/protocols/dify.md 2.4. */
export function workflowRunDetail(call: Call): void {
	const { store, app, ids } = call;
	if (app.mode !== 'workflow' && app.mode !== 'advanced-chat') throw notWorkflow();
	if (!isUuid(ids[0] ?? '')) throw crashed();
	const run = storedRun(store, app, ids[0] ?? '');
	if (run === undefined) throw notFound('Workflow run not found.');
	const end = run.events.findLast((event) => event.event === 'workflow_finished');
	const data = (end?.data ?? {}) as Json;
	call.reply(200, {
		id: run.workflowRunId ?? null,
		workflow_id: run.workflowId,
		status: run.status,
		inputs: JSON.stringify(run.inputs),
		outputs: run.status === 'paused' ? {} : run.outputs,
		error: run.error ?? null,
		total_steps: data.total_steps ?? 0,
		total_tokens: data.total_tokens ?? 0,
		created_at: run.startedAt,
		finished_at: run.finishedAt ?? null,
		elapsed_time: data.elapsed_time ?? 0,
	});
}

/** Tokens of submitted forms, by simulator. */
const submitted = new WeakMap<Store, Set<string>>();

function openForm(call: Call) {
	const { store, app, ids } = call;

	for (const run of store.runs.filter((each) => each.app === app)) {
		const issued = liveOf(run)?.transcript.forms.find(
			({ token }) => token !== null && token === ids[0],
		);
		if (issued === undefined) continue;
		if (submitted.get(store)?.has(issued.formId) === true) {
			const text = `This form has already been submitted by another user, form_id=${issued.formId}`;
			throw new DifyHttpError(412, 'human_input_form_submitted', text);
		}
		if (issued.expiresAt <= store.now()) {
			const text = `This form has expired, form_id=${issued.formId}`;
			throw new DifyHttpError(412, 'human_input_form_expired', text);
		}
		return { run, issued };
	}
	throw notFound('Form not found');
}

export function readForm(call: Call): void {
	const { issued } = openForm(call);
	const { form } = issued;
	sendForm(call.res, {
		form_content: form.content,
		inputs: form.inputs ?? [],
		resolved_default_values: form.defaults ?? {},
		user_actions: form.actions,
		expiration_time: issued.expiresAt,
	});
}

/** A refused submission leaves the form open, an accepted one is final (docs/protocols/dify.md 2.5). */
export function submitForm(call: Call): void {
	const { store, payload } = call;
	const problems = ['inputs', 'action']
		.filter((name) => !(name in payload))
		.map((name) => missing(name, payload));
	if (problems.length > 0) throw pydantic('HumanInputFormSubmitPayload', problems);
	const { run, issued } = openForm(call);
	const action = String(payload.action);
	if (!issued.form.actions.some(({ id }) => id === action)) {
		throw new DifyHttpError(400, 'invalid_form_data', `Invalid action: ${action}`);
	}
	const inputs = (payload.inputs ?? {}) as Json;
	const absent = (issued.form.inputs ?? [])
		.map((each) => String(each.output_variable_name))
		.filter((name) => !truthy(inputs[name]));
	// 1.16 names all missing fields.
	const absentNames = absent.join(', ');
	if (absent.length > 0)
		throw new DifyHttpError(400, 'invalid_form_data', `Missing required inputs: ${absentNames}`);
	for (const { type, output_variable_name: name, option_source: source } of issued.form.inputs ??
		[]) {
		const value = inputs[String(name)];
		if (type !== 'select' || (source as { value: unknown[] }).value.includes(value)) continue;
		const text = `Invalid value for select input '${String(name)}': ${String(value)}`;
		throw new DifyHttpError(400, 'invalid_form_data', text);
	}
	const done = submitted.get(store) ?? new Set<string>();
	submitted.set(store, done.add(issued.formId));
	resume(store, run, { formId: issued.formId, action, inputs });
	call.reply(200, {});
}
