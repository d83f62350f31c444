import type { RecordedCase, RecordedVersion } from '../../../support/dify-recordings';
import type { AppSpec, FormField } from '../types';

/** The apps of the recorded servers. */

const NAME: FormField = {
	kind: 'text-input',
	variable: 'name',
	label: 'Your name',
	required: true,
	maxLength: 48,
};
const LANGUAGES = ['English', 'Deutsch', '中文'];

const CHAT_FORM: FormField[] = [
	{ ...NAME, default: '' },
	{ kind: 'paragraph', variable: 'notes', label: 'Notes', maxLength: 200, default: 'no notes' },
	{
		kind: 'select',
		variable: 'lang',
		label: 'Language',
		required: true,
		options: LANGUAGES,
		default: 'Deutsch',
	},
	{ kind: 'number', variable: 'count', label: 'How many', default: '3' },
	{ kind: 'checkbox', variable: 'vip', label: 'VIP', default: false },
];

const FLOW_FORM: FormField[] = [
	NAME,
	{
		kind: 'paragraph',
		variable: 'notes',
		label: 'Notes',
		maxLength: 200,
		default: 'default notes',
	},
	{ kind: 'select', variable: 'lang', label: 'Language', required: true, options: LANGUAGES },
	{ kind: 'number', variable: 'count', label: 'How many', default: 3 },
	{ kind: 'checkbox', variable: 'vip', label: 'VIP' },
	{ kind: 'json_object', variable: 'obj', label: 'Object' },
	{ kind: 'file', variable: 'doc', label: 'A file', allowedTypes: ['image', 'document'] },
	{
		kind: 'file-list',
		variable: 'docs',
		label: 'Many files',
		maxLength: 3,
		allowedTypes: ['image', 'document'],
	},
];

const QUERY_FORM: FormField[] = [
	{ kind: 'paragraph', variable: 'query', label: 'Query', required: true },
];

/** The variables of the chatflow with memory. The value of a number decides whether it is an integer or a float. */
export const VARIABLES = [
	{
		id: '11111111-1111-4111-8111-111111111111',
		name: 'memo',
		valueType: 'string',
		value: 'empty',
		description: 'a memo',
	},
	{ id: '22222222-2222-4222-8222-222222222222', name: 'num', valueType: 'number', value: 1 },
	{ id: '33333333-3333-4333-8333-333333333333', name: 'obj', valueType: 'object', value: { a: 1 } },
	{
		id: '44444444-4444-4444-8444-444444444444',
		name: 'lst',
		valueType: 'array[string]',
		value: ['x'],
	},
	{ id: '55555555-5555-4555-8555-555555555555', name: 'flag', valueType: 'boolean', value: true },
	{ id: '66666666-6666-4666-8666-666666666666', name: 'fl', valueType: 'number', value: 1.5 },
	{
		id: '77777777-7777-4777-8777-777777777777',
		name: 'objs',
		valueType: 'array[object]',
		value: [{ a: 'it\'s "q"', b: null, c: true }],
	},
	{
		id: '88888888-8888-4888-8888-888888888888',
		name: 'secret',
		valueType: 'string',
		value: '{"json": 1}',
	},
	{ id: '7f1b0c1e-0000-4000-8000-000000000002', name: 'who', valueType: 'string', value: 'nobody' },
	{ id: '7f1b0c1e-0000-4000-8000-000000000001', name: 'cnt', valueType: 'number', value: 2 },
];

const FILES = { enabled: true, types: ['image', 'document'], number: 3 };

function formOf({ name, app, body }: RecordedCase): FormField[] | undefined {
	const inputs = JSON.stringify(body?.inputs ?? {});
	if (/chatform|^form-|n8n-var|cm-params/.test(name)) return CHAT_FORM;
	if (/^wf-(?:stop-)?http/.test(name)) return [{ kind: 'text-input', variable: 'url' }];
	if (/^wf-file-/.test(name)) return FLOW_FORM.filter(({ kind }) => kind.startsWith('file'));
	if (/flowform|file-form|app-parameters-5|^wf-(?:in|form)-/.test(name)) return FLOW_FORM;
	if (/^cm-form/.test(name)) return CHAT_FORM;
	if (app !== 'completion' && app !== 'workflow') return undefined;
	return inputs.includes('"query"') ||
		/missing|parameters-4|n8n-health-workflow|badselect/.test(name)
		? QUERY_FORM
		: undefined;
}

const field = (
	kind: FormField['kind'],
	variable: string,
	own: Partial<FormField> = {},
): FormField => ({
	kind,
	variable,
	label: variable,
	...own,
});

const LONGEST = 100_000;
const EXTENSIONS = ['.JPG', '.PNG', '.TXT', '.PDF'];
const SECONDS = [field('number', 'seconds')];
const FILE = { allowedTypes: ['image', 'document', 'custom'] };
const LANG = field('select', 'lang', { options: ['en', 'de'] });
const QUERY = field('text-input', 'query', { required: true, maxLength: LONGEST });

/** The forms of the apps of 1.16.0, by the case's name; the first match counts. */
const NEWER_FORMS: Array<[names: RegExp, form: FormField[]]> = [
	[
		/flow-model|^flow-(?:stream|blocking)|^(?:reattach|parameters|file|conv14-mk|conv-second)-flow|^stop-(?:stop-open|close-only)-flow/,
		[field('text-input', 'city', { maxLength: LONGEST })],
	],
	[
		/^inputs-(?:chat|flow)form/,
		[field('text-input', 'name', { required: true, maxLength: 10 }), LANG, field('number', 'num')],
	],
	[/^cm-form/, [field('text-input', 'topic', { required: true }), LANG]],
	[
		/^wf-in-/,
		[
			field('text-input', 'text', { required: true, maxLength: 10 }),
			field('number', 'num'),
			field('select', 'sel', { options: ['kind', 'rude'] }),
			field('json_object', 'obj'),
			field('file', 'doc', FILE),
			field('file-list', 'docs', FILE),
		],
	],
	[
		/^wf-files-through/,
		[field('file', 'doc', FILE), field('file-list', 'many', FILE), field('text-input', 'name')],
	],
	[/^wf-(?:chunk|model)/, [field('paragraph', 'text')]],
	[/^reattach-workflow|^wf-(?:reattach|limit|second|stop-node)/, SECONDS],
	[/^wf-default|^workflow-fail|^human-wf/, [{ ...QUERY, required: false }]],
	[/^parameters-chat|^conv-rename/, [field('text-input', 'name', { maxLength: 48, default: '' })]],
	[
		/^parameters-completion|^cm-|^completion|^stop-stop-open-completion/,
		[field('paragraph', 'query', { label: 'Query', required: true, default: '' })],
	],
	[
		/^parameters-workflow|^workflow|^wf-(?:close-then-stop|detail-run|stop-mid)$/,
		[
			QUERY,
			field('number', 'count'),
			field('select', 'tone', { options: ['kind', 'rude'] }),
			field('paragraph', 'note', { maxLength: LONGEST, default: 'dflt' }),
			field('checkbox', 'flag'),
		],
	],
];

function newerApp(recorded: RecordedCase, key: string): AppSpec {
	const { name, app: mode } = recorded;
	return {
		mode,
		key,
		published: !/unpub/.test(name),
		apiEnabled: !/api-disabled/.test(name),
		form: NEWER_FORMS.find(([names]) => names.test(name))?.[1],
		fileUpload: {
			enabled: !/^parameters-workflow/.test(name),
			types: FILE.allowedTypes,
			number: 5,
			extensions: EXTENSIONS,
		},
		speechToText: /^stt/.test(name) && !/off/.test(name),
		textToSpeech: /^tts/.test(name) && !/off|notext/.test(name),
		maxActive: /^wf-limit2/.test(name) ? 2 : /^wf-limit/.test(name) ? 1 : 0,
	};
}

/** The app behind the key of a case, by the case's name. */
export function recordedApp(
	version: RecordedVersion,
	recorded: RecordedCase,
	key: string,
): AppSpec {
	if (version === '1.16.0') return newerApp(recorded, key);
	const { name } = recorded;
	// Listed as a workflow's key, but the followed run is of a chatflow.
	const mode = /^events-paused/.test(name) ? 'advanced-chat' : recorded.app;
	return {
		mode,
		key,
		published: !/unpub|app-parameters-6/.test(name),
		apiEnabled: !/api-disabled/.test(name),
		form: formOf(recorded),
		fileUpload:
			mode === 'agent' && recorded.url === '/v1/parameters'
				? undefined
				: { ...FILES, extensions: ['.JPG', '.PNG'], enabled: !/off/.test(name) },
		speechToText: /^stt/.test(name) && !/stt-completion|stt-chat/.test(name),
		textToSpeech: /^tts/.test(name) && !/tts-off|tts-notext/.test(name),
		maxActive: /^limit-|^wf-limit/.test(name) ? 2 : /^limit14-/.test(name) ? 1 : 0,
	};
}
