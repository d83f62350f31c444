/**
 * Imports go one way. Each folder of `lib` with those that it may import, besides itself, `values` and the single files of
 * `lib`.
 */
const ALLOWED = {
	values: [],
	errors: [],
	files: ['errors'],
	text: [],
	http: ['errors'],
	servers: ['http', 'errors', 'text'],
	tracing: ['servers', 'http', 'errors'],
	fields: ['http', 'errors'],
	exchange: ['fields', 'servers', 'http', 'errors'],
	chat: ['exchange', 'fields', 'tracing', 'files', 'servers', 'http', 'errors', 'text'],
	dify: ['tracing', 'servers', 'http', 'errors', 'text'],
	tasks: ['chat', 'exchange', 'fields', 'tracing', 'files', 'servers', 'http', 'errors', 'text'],
	langchain: ['chat', 'dify', 'servers', 'http', 'errors'],
	n8n: ['chat', 'fields', 'files', 'servers', 'http', 'errors'],
	health: ['chat', 'exchange', 'dify', 'servers', 'http', 'errors'],
};

/** The ground of a chat: its data. */
const GROUND = [
	'chat-message',
	'chat-request',
	'chat-result',
	'completion',
	'content',
	'input-message',
	'response-end',
	'settings',
	'tool-definition',
	'turn-context',
];

/** The stages of a chat. They import its ground, and each only stages before it. */
const STAGES = ['tools', 'body', 'prepare', 'read', 'check'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
	forbidden: [
		{
			name: 'no-cycles',
			comment: 'Files that import each other cannot be read or tested alone. Types count too.',
			severity: 'error',
			from: {},
			to: { circular: true },
		},
		{
			name: 'lib-does-not-import-nodes',
			severity: 'error',
			from: { path: '^lib/' },
			to: { path: '^(nodes|credentials|test)/' },
		},
		{
			name: 'single-files-import-no-folder',
			comment: 'A file directly in lib is for every folder, so it depends on none.',
			severity: 'error',
			from: { path: '^lib/[^/]+\\.ts$' },
			to: { path: '^lib/[^/]+/', pathNot: '^lib/values/' },
		},
		{
			name: 'nodes-do-not-import-each-other',
			severity: 'error',
			from: { path: '^nodes/([^/]+)/', pathNot: '^nodes/shared/' },
			to: { path: '^nodes/', pathNot: '^nodes/(shared|$1)/' },
		},
		...Object.entries(ALLOWED).map(([folder, allowed]) => ({
			name: `direction-of-${folder}`,
			severity: 'error',
			from: { path: `^lib/${folder}/` },
			to: { path: '^lib/[^/]+/', pathNot: `^lib/(${[folder, 'values', ...allowed].join('|')})/` },
		})),
		...STAGES.map((stage, index) => ({
			name: `stage-${stage}`,
			comment: 'A stage imports neither the turn nor a later stage.',
			severity: 'error',
			from: { path: `^lib/chat/${stage}/` },
			to: {
				path: '^lib/chat/',
				pathNot: `^lib/chat/(?:${GROUND.join('|')})\\.ts$|^lib/chat/(?:${STAGES.slice(0, index + 1).join('|')})/`,
			},
		})),
	],
	options: {
		tsPreCompilationDeps: true,
		tsConfig: { fileName: 'tsconfig.json' },
		doNotFollow: { path: 'node_modules' },
	},
};
