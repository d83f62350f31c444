import type {
	IAuthenticate,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestOptions,
	Icon,
	INodeProperties,
} from 'n8n-workflow';

import {
	booleanField,
	choiceField,
	numberField,
	rowsField,
	stringField,
} from '../nodes/shared/field-kinds';
import {
	bodyRule,
	CONNECTION_CODES_HINT,
	CREDENTIAL_TEST_LIMIT_MS,
	credentialHeaders,
	isCredentialTest,
	missingFieldRule,
	plainTextRule,
	readLocalLlamaCredential,
	statusRule,
	withHeaders,
} from '../lib/servers/credential';
import { resolveBaseUrl } from '../lib/servers/base-url';
import type { FailureKind } from '../lib/errors/kinds';
import { remedyFor } from '../lib/errors/remedies';

/** What error statuses mean here. */
const STATUSES = {
	redirect: [301, 302, 303, 307, 308],
	unauthorized: [401],
	forbidden: [403],
	wrongPath: [404, 405],
	loading: [503],
	gateway: [502, 504, 520, 521, 522, 523, 524, 530],
} satisfies Partial<Record<FailureKind, number[]>>;

/** n8n's test asks one route and sees its status only: some servers have no list of models, and gateways say 503, too. */
const MEANINGS: Partial<Record<FailureKind, string>> = {
	loading:
		'The model is still loading, or a gateway has no server or no key left (503): Server Health (Check) shows its words',
	wrongPath:
		'The server answers, but has no list of models at this path. Some servers have none, and work with the nodes all the same: whisper.cpp, Text Embeddings Inference, infinity, many FastAPI servers. For one of these, keep the credential as it is: this test cannot pass, and the node Server Health (Check) tells whether all is well. Otherwise, the address may be wrong',
};

/** llama-server checks the key here, but not at `/health`; Ollama, vLLM and GPUStack have the route too. */
const TEST_PATH = '/models';

/**
 * Adds the key and the extra headers to a request. The request of the credential test carries the base URL as typed; it
 * is resolved here, so that the test passes with every form that the nodes accept.
 */
async function authenticate(
	data: ICredentialDataDecryptedObject,
	request: IHttpRequestOptions,
): Promise<IHttpRequestOptions> {
	const credential = readLocalLlamaCredential(data);
	const test = {
		baseURL: resolveBaseUrl(credential.baseUrl).api,
		skipSslCertificateValidation: credential.ignoreSslIssues,
		timeout: CREDENTIAL_TEST_LIMIT_MS,
	};
	const sent = isCredentialTest(request, data.baseUrl, TEST_PATH)
		? { ...request, ...test }
		: request;
	return withHeaders(sent, credential.baseUrl, credentialHeaders(credential));
}

/**
 * Adds the hidden mark `sameForEachItem`. n8n decides on what is displayed before it evaluates expressions, and leaves
 * out the values of hidden fields: the mark is there only if no field holds an expression. Fields in rows are not seen.
 */
function withSameForEachItem(fields: INodeProperties[]): INodeProperties[] {
	const holdsExpression = [{ _cnd: { startsWith: '=' } }];
	const hide = Object.fromEntries(fields.map(({ name }) => [name, holdsExpression]));
	const mark: INodeProperties = {
		displayName: 'Same for Each Item',
		name: 'sameForEachItem',
		type: 'hidden',
		default: true,
		displayOptions: { hide },
	};
	return [...fields, mark];
}

function sentence(kind: FailureKind, status?: number): string {
	const { title, meaning = title, remedy } = remedyFor(kind, { status });
	return `${MEANINGS[kind] ?? meaning}. ${remedy}`;
}

export class LocalLlamaApi implements ICredentialType {
	name = 'localLlamaApi';

	displayName = 'LocalLlama API';

	icon: Icon = { light: 'file:../icons/localLlama.svg', dark: 'file:../icons/localLlama.dark.svg' };

	documentationUrl =
		'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/servers.md';

	properties: INodeProperties[] = withSameForEachItem([
		stringField('Base URL', 'baseUrl', {
			placeholder: 'http://192.168.1.20:9931',
			required: true,
			description:
				'For example http://192.168.1.20:9931; n8n in Docker: http://host.docker.internal:9931. Use the port that the server was started with.',
			hint: CONNECTION_CODES_HINT,
		}),
		stringField('API Key', 'apiKey', {
			typeOptions: { password: true },
			placeholder: 'Optional',
			description:
				'Optional: the key that the server was started with (llama-server: --api-key). Leave it empty if the server wants none. Where a server shows its list of models to everybody, this test cannot tell whether the key is right; Server Health says so.',
			displayOptions: { show: { authentication: ['bearer', 'xApiKey'] } },
		}),
		choiceField('Authentication', 'authentication', 'bearer', {
			options: [
				{ name: 'Basic (User and Password)', value: 'basic' },
				{ name: 'Bearer (Authorization Header)', value: 'bearer' },
				{ name: 'None', value: 'none' },
				{ name: 'x-api-key Header', value: 'xApiKey' },
			],
			description:
				'How the key is sent. llama-server, vLLM and Ollama take Bearer; some FastAPI servers want x-api-key; nginx and Caddy in front of a server often want Basic.',
		}),
		stringField('User', 'user', {
			displayOptions: { show: { authentication: ['basic'] } },
			description: 'User name for the proxy or the server, without a colon',
		}),
		stringField('Password', 'password', {
			typeOptions: { password: true },
			displayOptions: { show: { authentication: ['basic'] } },
		}),
		rowsField('Extra Headers', 'extraHeaders', 'Header', {
			values: [
				stringField('Name', 'name', { placeholder: 'X-Proxy-Token' }),
				stringField('Value', 'value', { typeOptions: { password: true } }),
			],
			description:
				'Sent with every request, for example for a reverse proxy. Never sent to another address that the server redirects to.',
		}),
		booleanField('Ignore SSL Issues', 'ignoreSslIssues', false, {
			description:
				'Whether to connect although the certificate of the server cannot be verified. Warning: anyone in between can then read the key and the conversations. It is better to give n8n your own CA with NODE_EXTRA_CA_CERTS.',
		}),
		numberField('Max Concurrent Requests', 'maxConcurrentRequests', 0, {
			typeOptions: { minValue: 0 },
			description:
				'How many generations run at once over this credential; further ones wait in n8n, persons before batches. 0 = automatic: as many as llama-server has slots, unlimited on other servers.',
		}),
		choiceField('Server Type', 'serverType', 'auto', {
			options: [
				{
					name: 'Automatic',
					value: 'auto',
					description: 'Asks the server what it is, where that matters',
				},
				{ name: 'Llama-Server (llama.cpp)', value: 'llamaServer' },
				{ name: 'Ollama', value: 'ollama' },
				{
					name: 'Other (OpenAI-Compatible)',
					value: 'other',
					description:
						'GPUStack, LM Studio, FastAPI servers: standard fields, plus what you set in the nodes',
				},
				{ name: 'vLLM', value: 'vllm' },
			],
			description: 'Decides which fields beyond the OpenAI standard may be sent',
		}),
	]);

	authenticate: IAuthenticate = authenticate;

	test: ICredentialTestRequest = {
		request: { baseURL: '={{ $credentials.baseUrl }}', url: TEST_PATH },
		rules: [
			...Object.entries(STATUSES).flatMap(([kind, statuses]) =>
				statuses.flatMap((status) => {
					const message = sentence(kind as FailureKind, status);
					return [statusRule(status, message), bodyRule('error.code', status, message)];
				}),
			),
			bodyRule(
				'length',
				0,
				'The answer here is empty. mlx_lm.server answers so as long as its computer has no models: then the credential is right. Of any other server, check address, port and path of the Base URL.',
			),
			plainTextRule(sentence('notAnApi')),
			missingFieldRule(
				'data',
				"The answer here is not a list of models as in OpenAI's API. Check that the Base URL leads to the API. If the list in the node shows your models all the same, the credential is right.",
			),
		] as ICredentialTestRequest['rules'],
	};
}
