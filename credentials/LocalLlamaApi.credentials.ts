import type {
	IAuthenticate,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import type { ChoiceLabel } from '../lib/fields/field';
import { ignoreSslIssuesField } from '../nodes/shared/fields/ignore-ssl-issues';
import { toProperties } from '../nodes/shared/fields/to-properties';
import type { Authentication } from '../lib/servers/credential';
import { readLocalLlamaCredential } from '../lib/servers/credential';
import type { SelectableServerType } from '../lib/servers/types/server-type';
import { authenticateRequest } from '../lib/servers/authenticate-request';
import {
	bodyRule,
	CONNECTION_CODES,
	missingFieldRule,
	plainTextRule,
	statusRule,
} from '../lib/servers/credential-test';
import { hasNativeApi } from '../lib/servers/types';
import { resolveBaseUrl } from '../lib/servers/base-url';
import type { ErrorType } from '../lib/errors/error-types';
import { getErrorText } from '../lib/errors/error-types';

const AUTHENTICATION_CHOICES = {
	basic: 'Basic (User and Password)',
	bearer: 'Bearer (Authorization Header)',
	none: 'None',
	xApiKey: 'x-api-key Header',
} satisfies Record<Authentication, ChoiceLabel>;

const SERVER_TYPE_CHOICES = {
	auto: ['Automatic', 'Detect the server type when needed'],
	llamaServer: 'Llama-Server (llama.cpp)',
	ollama: 'Ollama',
	other: [
		'Other (OpenAI-Compatible)',
		'GPUStack, LM Studio, FastAPI servers: standard fields, plus the options you set in the nodes',
	],
	vllm: 'vLLM',
} satisfies Record<SelectableServerType | 'auto', ChoiceLabel>;

/** Statuses by the error that they mean for the credential test. */
const ERROR_STATUSES = {
	unexpectedRedirect: [301, 302, 303, 307, 308],
	unauthorized: [401],
	forbidden: [403],
	routeNotFound: [404, 405],
	modelLoading: [503],
	badGateway: [502, 520, 521, 522, 523],
	gatewayTimeout: [408, 504, 524],
	tunnelDown: [530],
} satisfies Partial<Record<ErrorType, number[]>>;

/** n8n's test calls one route and checks only its status: some servers have no model list, and gateways also send 503. */
const ERROR_DETAILS: Partial<Record<ErrorType, (title: string) => string>> = {
	forbidden: () =>
		'The server, or a proxy in front of it (Cloudflare Access, a firewall), does not allow this request (403). A proxy may require its own login headers: add them to Extra Headers. This test omits them if an expression needs the workflow',
	unauthorized: (title) =>
		`${title}. If API Key is empty, the server requires one. Extra Headers are not part of this test if an expression needs the workflow`,
	modelLoading: (title) =>
		`${title}, or a gateway has no available server or key (503): run Server Health (Check) to see its message`,
	routeNotFound: () =>
		'The server responds, but has no model list at this path. If this is Dify, use the credential Dify API. Servers for speech or embeddings may still work with the nodes: keep the credential, and run Server Health (Check). For Ollama, remove /api from the Base URL or set Server Type to Ollama to pass it',
};

/** Suggestions that name no option of a node. */
const OWN_SUGGESTIONS: Partial<Record<ErrorType, string>> = {
	modelLoading: 'Wait until the server has loaded the model, then test again.',
};

const NO_MODELS =
	'The connection works, but the server lists no models. Download or load one (Ollama: ollama pull; Local Llama: Model, Pull), or give the key access to one. The credential can be used unchanged.';

/** llama-server checks the key here, but not at `/health`; Ollama, vLLM and GPUStack have the route too. */
const TEST_PATH = '/models';

/**
 * Adds the hidden mark `sameForEachItem`. n8n evaluates display conditions before expressions, and omits the values of
 * hidden fields: the mark exists only if no field contains an expression. Fields in rows are not seen.
 */
function withSameForEachItem(fields: INodeProperties[]) {
	const isExpression = [{ _cnd: { startsWith: '=' } }];
	const hide = Object.fromEntries(fields.map(({ name }) => [name, isExpression]));
	const markField: INodeProperties = {
		displayName: 'Same for Each Item',
		name: 'sameForEachItem',
		type: 'hidden',
		default: true,
		displayOptions: { hide },
	};
	return [...fields, markField];
}

function toTestMessage(type: ErrorType, status?: number) {
	const { title, detail = title, suggestion } = getErrorText(type, { status });
	return `${ERROR_DETAILS[type]?.(title) ?? detail}. ${OWN_SUGGESTIONS[type] ?? suggestion}`;
}

export class LocalLlamaApi implements ICredentialType {
	name = 'localLlamaApi';

	displayName = 'LocalLlama API';

	icon: Icon = { light: 'file:../icons/localLlama.svg', dark: 'file:../icons/localLlama.dark.svg' };

	documentationUrl =
		'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/servers.md';

	properties: INodeProperties[] = withSameForEachItem(
		toProperties({
			baseUrl: {
				kind: 'text',
				label: 'Base URL',
				placeholder: 'e.g. http://192.168.1.20:9931',
				required: true,
				description: `For example http://192.168.1.20:9931. Use the port that the server listens on. ${CONNECTION_CODES}`,
				hint: 'If n8n runs in Docker: http://host.docker.internal:PORT instead of localhost',
			},
			apiKey: {
				kind: 'text',
				label: 'API Key',
				isSecret: true,
				placeholder: 'Optional',
				description:
					'Optional: the key that the server was started with (llama-server: --api-key). Leave empty if the server needs no key. If a server shows its model list without a key, this test cannot verify the key. Server Health can.',
				shownIf: { authentication: ['bearer', 'xApiKey'] },
			},
			authentication: {
				kind: 'choice',
				label: 'Authentication',
				default: 'bearer',
				choices: AUTHENTICATION_CHOICES,
				description:
					'How to send the key. llama-server, vLLM and Ollama use Bearer; some FastAPI servers expect x-api-key; nginx and Caddy in front of a server often use Basic.',
			},
			user: {
				kind: 'text',
				label: 'User',
				shownIf: { authentication: ['basic'] },
				description: 'User name for the proxy or server, without a colon',
			},
			password: {
				kind: 'text',
				label: 'Password',
				isSecret: true,
				shownIf: { authentication: ['basic'] },
			},
			extraHeaders: {
				kind: 'rows',
				label: 'Extra Headers',
				entry: 'Header',
				ignoresFailedExpressions: true,
				fields: {
					name: { kind: 'text', label: 'Name', placeholder: 'e.g. X-Proxy-Token' },
					value: { kind: 'text', label: 'Value', isSecret: true },
				},
				description:
					'Sent with every request, for example for a reverse proxy. Never sent to another host after a redirect. Lists in the editor omit them if an expression needs the workflow.',
			},
			ignoreSslIssues: ignoreSslIssuesField,
			maxConcurrentRequests: {
				kind: 'number',
				label: 'Max Concurrent Requests',
				default: 0,
				range: [0],
				description:
					'How many generations may run at the same time with this credential. Further requests wait in n8n, interactive ones before batches. 0 = automatic: the number of slots on llama-server, unlimited on other servers.',
			},
			serverType: {
				kind: 'choice',
				label: 'Server Type',
				default: 'auto',
				choices: SERVER_TYPE_CHOICES,
				description: 'Determines which fields beyond the OpenAI standard are sent',
			},
		}),
	);

	/** Adds the key and the extra headers to a request. */
	authenticate: IAuthenticate = async (data, request) => {
		const credential = readLocalLlamaCredential(data);
		return authenticateRequest(request, credential, {
			path: TEST_PATH,
			baseURL: resolveBaseUrl(credential.baseUrl, hasNativeApi(credential.serverType)).api,
			url: TEST_PATH,
		});
	};

	test: ICredentialTestRequest = {
		request: { baseURL: '={{ $credentials.baseUrl }}', url: TEST_PATH },
		rules: [
			...Object.entries(ERROR_STATUSES).flatMap(([type, statuses]) =>
				statuses.flatMap((status) => {
					const message = toTestMessage(type as ErrorType, status);
					return [
						statusRule(status, message),
						bodyRule({ key: 'error.code', value: status, message }),
					];
				}),
			),
			bodyRule({
				key: 'length',
				value: 0,
				message:
					'The response is empty. mlx_lm.server responds this way while no model is available on its machine: in that case the credential is correct. For any other server, check the host, port and path of the Base URL.',
			}),
			plainTextRule(toTestMessage('notAnApi')),
			bodyRule({ key: 'data.length', value: 0, message: NO_MODELS }),
			bodyRule({ key: 'data', value: null, message: NO_MODELS }),
			missingFieldRule({
				key: 'data',
				message:
					'The response is not a model list as in the OpenAI API. Check that the Base URL points to the API. If the model list in the node works, the credential is correct.',
			}),
		] as ICredentialTestRequest['rules'],
	};
}
