import { createHmac } from 'node:crypto';

import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Workflow, WorkflowNode } from './playground';

export interface Named {
	id: string;
	name: string;
}

/** Settings that complete an example, like a user in the editor. */
export interface Wiring {
	/** Credential for nodes that use a model server; by node name if there are two. */
	local?: Named | Record<string, Named>;
	/** Credential for nodes that use Dify. */
	dify?: Named;
	/** Model to select; by node name if there are two. */
	model?: string | Record<string, string>;
	/** ID of the Dify knowledge base to select. */
	knowledgeBase?: string;
	/** Credentials of n8n's own nodes, by the name of the node. */
	others?: Record<
		string,
		{ type: keyof typeof WEBHOOK_CREDENTIALS | 'postgres' | 'smtp'; credential: Named }
	>;
	/** Parameters that the test changes, e.g. shorter pauses, other addresses. */
	change?: Record<string, Record<string, unknown>>;
}

/** Names of the example workflows, without `.json`. */
export const EXAMPLES = fs
	.readdirSync(path.join(process.cwd(), 'workflows'))
	.filter((file) => file.endsWith('.json'))
	.map((file) => path.basename(file, '.json'));

/** Examples that only `npm run test:full` runs: they need a PostgreSQL with pgvector. */
export const RUN_IN_FULL = ['rag-with-pgvector'];

/**
 * An example workflow in the form that users get.
 *
 * @param wiring completes it; its Chat Trigger then becomes public without a login
 * @param form `custom`: the build's version for custom nodes; `package`: for the package installed from n8n's interface
 */
export function example(
	name: string,
	wiring?: Wiring,
	form: 'custom' | 'package' = 'custom',
): Workflow {
	const folder = path.join(process.cwd(), 'dist/workflows', form);
	const workflow = JSON.parse(
		fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'),
	) as Workflow;
	return wiring === undefined
		? workflow
		: { ...workflow, nodes: workflow.nodes.map((node) => wired(node, wiring)) };
}

/** Makes the Chat Trigger public, since the test's browser has no login. */
const PUBLIC = { public: true, mode: 'webhook' };

function wired(
	node: WorkflowNode,
	{ local, dify, model, knowledgeBase, others, change }: Wiring,
): WorkflowNode {
	const own = /^(?:CUSTOM|n8n-nodes-local-llama)\.(.+)$/.exec(node.type)?.[1];
	const isDify =
		own !== undefined && (own.startsWith('dify') || node.parameters.service === 'dify');
	const chosen = typeof model === 'string' ? model : model?.[node.name];
	const credential =
		own === undefined ? undefined : isDify ? dify : isNamed(local) ? local : local?.[node.name];
	const other = others?.[node.name];
	return {
		...node,
		...(other === undefined ? {} : { credentials: { [other.type]: other.credential } }),
		...(credential === undefined
			? {}
			: {
					credentials: {
						[isDify ? 'difyApi' : 'localLlamaApi']: { id: credential.id, name: credential.name },
					},
				}),
		parameters: {
			...node.parameters,
			...(node.type.endsWith('.chatTrigger') ? PUBLIC : {}),
			...(chosen !== undefined && node.parameters.model !== undefined && own !== undefined
				? { model: { __rl: true, mode: 'id', value: chosen } }
				: {}),
			...(knowledgeBase !== undefined && node.parameters.difyDatasetId !== undefined
				? { difyDatasetId: { __rl: true, mode: 'id', value: knowledgeBase } }
				: {}),
			...(knowledgeBase !== undefined && own === 'difyRetriever'
				? { difyDatasetIds: [knowledgeBase] }
				: {}),
			...change?.[node.name],
		},
	};
}

/** Credential for a PostgreSQL of `startPostgres`. */
export const postgresCredential = (port: number) => ({
	name: 'My PostgreSQL',
	type: 'postgres',
	data: {
		host: '127.0.0.1',
		port,
		database: 'postgres',
		user: 'postgres',
		password: '',
		ssl: 'disable',
	},
});

const JWT_SECRET = 'a secret of the site';

/** Credentials that the examples' webhooks require. */
export const WEBHOOK_CREDENTIALS = {
	jwtAuth: {
		name: 'Tokens of my site',
		type: 'jwtAuth',
		data: { keyType: 'passphrase', secret: JWT_SECRET, algorithm: 'HS256' },
	},
	httpHeaderAuth: {
		name: 'Restart key',
		type: 'httpHeaderAuth',
		data: { name: 'X-Restart-Key', value: 'a long random value' },
	},
};

/** Header that a page sends for a logged-in user. */
export function tokenOf(user: string): { authorization: string } {
	const [head, body] = [{ alg: 'HS256', typ: 'JWT' }, { sub: user }].map((part) =>
		Buffer.from(JSON.stringify(part)).toString('base64url'),
	);
	const signature = createHmac('sha256', JWT_SECRET).update(`${head}.${body}`).digest('base64url');
	return { authorization: `Bearer ${head}.${body}.${signature}` };
}

const isNamed = (value: Wiring['local']): value is Named => typeof value?.id === 'string';

/** Credential for a mail server without a login. */
export const smtpCredential = (port: number) => ({
	name: 'My mail server',
	type: 'smtp',
	data: { user: '', password: '', host: '127.0.0.1', port, secure: false, disableStartTls: true },
});
