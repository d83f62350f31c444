import type {
	IAuthenticate,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import { ignoreSslIssuesField } from '../nodes/shared/fields/ignore-ssl-issues';
import { toProperties } from '../nodes/shared/fields/to-properties';
import type { DifyKeyType } from '../lib/dify/credentials';
import {
	KEY_TEST_FIELD,
	KEY_TEST_PATHS,
	readDifyCredential,
	resolveDifyBaseUrl,
} from '../lib/dify/credentials';
import type { ErrorType } from '../lib/errors/error-types';
import type { ChoiceLabel } from '../lib/fields/field';
import { getErrorText } from '../lib/errors/error-types';
import { authenticateRequest } from '../lib/servers/authenticate-request';
import {
	CONNECTION_CODES,
	missingFieldRule,
	plainTextRule,
	statusRule,
} from '../lib/servers/credential-test';

/** Marks the request of the credential test; it is replaced by the path for the key type. */
const TEST_PATH = '/key-test';

/** An error of the credential test. */
interface TestError {
	type: ErrorType;
	/** Of the response. */
	statuses: readonly number[];
	/** What happened. Default: the title of the error. */
	sentence?: string;
}

const TEST_ERRORS: readonly TestError[] = [
	{
		type: 'unexpectedRedirect',
		statuses: [301, 302, 303, 307, 308],
		sentence: 'The server redirects the request.',
	},
	{
		type: 'unauthorized',
		statuses: [401],
		sentence: 'Dify, or a proxy in front of it, rejected the API key.',
	},
	{
		type: 'routeNotFound',
		statuses: [400, 404, 405, 406, 410],
		sentence: 'No Dify API was found at this address.',
	},
	{
		type: 'busy',
		statuses: [429],
		sentence: 'Dify is receiving too many requests.',
	},
	{
		type: 'serverError',
		statuses: [500],
		sentence: 'Dify returned an error.',
	},
	{
		type: 'badGateway',
		statuses: [502, 503, 520, 521, 522, 523],
	},
	{
		type: 'gatewayTimeout',
		statuses: [408, 504, 524],
		sentence: 'A proxy in front of Dify stopped waiting for it.',
	},
	{
		type: 'tunnelDown',
		statuses: [530],
	},
];

const getText = (type: ErrorType) => getErrorText(type, { service: 'dify' });

const getSuggestion = (type: ErrorType) => getText(type).suggestion;

export class DifyApi implements ICredentialType {
	name = 'difyApi';

	displayName = 'Dify API';

	icon: Icon = { light: 'file:../icons/dify.svg', dark: 'file:../icons/dify.dark.svg' };

	documentationUrl =
		'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/dify.md';

	properties: INodeProperties[] = toProperties({
		baseUrl: {
			kind: 'text',
			label: 'Base URL',
			default: 'https://api.dify.ai/v1',
			placeholder: 'e.g. http://192.168.1.20/v1',
			required: true,
			description: `URL of the Dify API as seen from n8n. In Dify, open the app and go to API Access to find it. Dify Cloud: https://api.dify.ai/v1. Self-hosted: http://YOUR-HOST/v1. You can omit /v1. ${CONNECTION_CODES}`,
			hint: 'If n8n runs in Docker: http://host.docker.internal/v1 instead of localhost',
		},
		apiKey: {
			kind: 'text',
			label: 'API Key',
			isSecret: true,
			required: true,
			description:
				'In Dify, open the app and go to API Access, then API Key. A key belongs to one app, so create one credential per app. For knowledge bases: Knowledge, then Service API.',
		},
		keyType: {
			kind: 'choice',
			label: 'Key Type',
			default: 'app',
			choices: {
				app: ['App', 'API key of a chatbot, agent, chatflow, text generator or workflow (app-…)'],
				knowledge: ['Knowledge', 'API key for the knowledge bases of a workspace (dataset-…)'],
			} satisfies Record<DifyKeyType, ChoiceLabel>,
			description:
				'What the key gives access to. An app key does not work for knowledge bases, and a knowledge key does not work for apps.',
		},
		ignoreSslIssues: ignoreSslIssuesField,
	});

	/** Adds the key to a request. The credential test calls a route that the key type may use. */
	authenticate: IAuthenticate = async (data, request) => {
		const credential = readDifyCredential(data);
		const { baseUrl, keyType } = credential;
		return authenticateRequest(request, credential, {
			path: TEST_PATH,
			baseURL: resolveDifyBaseUrl(baseUrl),
			url: KEY_TEST_PATHS[keyType],
		});
	};

	test: ICredentialTestRequest = {
		request: { baseURL: '={{ $credentials.baseUrl }}', url: TEST_PATH },
		rules: [
			...TEST_ERRORS.flatMap(({ type, statuses, sentence = `${getText(type).title}.` }) =>
				statuses.map((status) => statusRule(status, `${sentence} ${getSuggestion(type)}`)),
			),
			statusRule(
				403,
				`The request was rejected. If Dify rejected it: ${getSuggestion('appDisabled')} Otherwise, a proxy such as nginx or Cloudflare in front of Dify blocks it.`,
			),
			plainTextRule(
				`This address returns plain text or a web page, not the Dify API. ${getSuggestion('notAnApi')}`,
			),
			missingFieldRule({
				key: KEY_TEST_FIELD,
				message: `Another program responds at this address, not Dify. ${getSuggestion('notAnApi')}`,
			}),
		] as ICredentialTestRequest['rules'],
	};
}
