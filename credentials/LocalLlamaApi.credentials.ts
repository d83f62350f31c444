import type {
	IAuthenticate,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestOptions,
	Icon,
	INodeProperties,
} from 'n8n-workflow';

import { resolveBaseUrl } from '../lib/servers/base-url';
import { credentialHeaders, readLocalLlamaCredential } from '../lib/servers/credential';
import type { FailureKind } from '../lib/errors/server-error';
import { remedyFor } from '../lib/errors/remedies';

/** llama-server checks the key here, but not at `/health`; Ollama, vLLM and GPUStack have the route too. */
const TEST_PATH = '/models';

/**
 * Adds the key and the extra headers to a request. The request of the credential test carries the base URL as typed; it is resolved here, so
 * that the test passes with every form that the nodes accept.
 */
async function authenticate(
	data: ICredentialDataDecryptedObject,
	request: IHttpRequestOptions,
): Promise<IHttpRequestOptions> {
	const credential = readLocalLlamaCredential(data);
	const isTest = request.baseURL !== undefined && request.baseURL === data.baseUrl && request.url === TEST_PATH;
	return {
		...request,
		...(isTest
			? { baseURL: resolveBaseUrl(credential.baseUrl).api, skipSslCertificateValidation: credential.ignoreSslIssues }
			: {}),
		headers: { ...request.headers, ...credentialHeaders(credential) },
	};
}

/** n8n would show no more than the phrase of the status, such as "Not Found". */
function said(status: number, kind: FailureKind) {
	return { type: 'responseCode' as const, properties: { value: status, message: sentence(kind, status) } };
}

function sentence(kind: FailureKind, status?: number): string {
	const { message, remedy } = remedyFor(kind, { status });
	return `${message}. ${remedy}`;
}

export class LocalLlamaApi implements ICredentialType {
	name = 'localLlamaApi';

	displayName = 'LocalLlama API';

	icon: Icon = { light: 'file:../icons/localLlama.svg', dark: 'file:../icons/localLlama.dark.svg' };

	documentationUrl = 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/servers.md';

	properties: INodeProperties[] = [
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: 'http://127.0.0.1:8080',
			placeholder: 'http://192.168.1.20:8080',
			required: true,
			description:
				'Address of the model server, as n8n sees it. With or without /v1, a pasted endpoint works too. If n8n runs in Docker, localhost is the container itself: use http://host.docker.internal:8080 or the IP address of the machine.',
			// n8n's credential test says no more than ECONNREFUSED where nothing answers, and descriptions show only on hovering.
			hint: 'In Docker 127.0.0.1 is n8n itself: use http://host.docker.internal:8080 or the IP address of the machine',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'The key the server was started with (llama-server: --api-key). Leave empty if the server wants none; then no header is sent.',
		},
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			options: [
				{ name: 'Bearer (Authorization Header)', value: 'bearer' },
				{ name: 'x-api-key Header', value: 'xApiKey' },
			],
			default: 'bearer',
			description:
				'How the key is sent. llama-server, vLLM and Ollama take Bearer; some FastAPI servers want x-api-key.',
		},
		{
			displayName: 'Extra Headers',
			name: 'extraHeaders',
			type: 'fixedCollection',
			typeOptions: { multipleValues: true },
			placeholder: 'Add Header',
			default: {},
			description:
				'Sent with every request, for example for a reverse proxy. Never sent to another address that the server redirects to.',
			options: [
				{
					displayName: 'Header',
					name: 'header',
					values: [
						{ displayName: 'Name', name: 'name', type: 'string', default: '', placeholder: 'X-Proxy-Token' },
						{ displayName: 'Value', name: 'value', type: 'string', typeOptions: { password: true }, default: '' },
					],
				},
			],
		},
		{
			displayName: 'Ignore SSL Issues',
			name: 'ignoreSslIssues',
			type: 'boolean',
			default: false,
			description:
				'Whether to connect although the certificate of the server cannot be verified. Warning: anyone in between can then read the key and the conversations. Better give n8n your own CA with NODE_EXTRA_CA_CERTS.',
		},
		{
			displayName: 'Max Concurrent Requests',
			name: 'maxConcurrentRequests',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: 0,
			description:
				'How many generations run at once over this credential; further ones wait in n8n, first come first served. Set it to the number of slots of the server (-np). 0 = unlimited.',
		},
	];

	authenticate: IAuthenticate = authenticate;

	test: ICredentialTestRequest = {
		request: { baseURL: '={{ $credentials.baseUrl }}', url: TEST_PATH },
		// n8n takes both kinds of rules in one list (credentials-tester.service.ts); its type says one or the other.
		rules: [
			said(401, 'unauthorized'),
			said(403, 'forbidden'),
			said(404, 'wrongPath'),
			said(502, 'gateway'),
			said(503, 'loading'),
			said(504, 'gateway'),
			...[520, 521, 522, 523, 524, 530].map((status) => said(status, 'gateway')),
			// A user interface or a login answers with a page and status 200: the first letter of a page is found at key 0 of its text.
			{ type: 'responseSuccessBody', properties: { key: '0', value: '<', message: sentence('notAnApi') } },
		] as ICredentialTestRequest['rules'],
	};
}
