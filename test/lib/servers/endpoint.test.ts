/** What the servers of two credentials share: queue, connections and facts, by the ID; and the texts of a server type. */
import { createServerError } from '../../../lib/errors/create-error';
import { createEndpoint, createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const CREDENTIAL = { baseUrl: 'http://gpu:8080', apiKey: 'sk-0123456789' };
/** The functions of every profile. */
const PROFILE = Object.getPrototypeOf(
	getProfile(createModelServer(CREDENTIAL, NO_EXECUTION)),
) as ReturnType<typeof getProfile>;

afterEach(() => {
	jest.restoreAllMocks();
});

const getId = (fields: object) =>
	createModelServer({ ...CREDENTIAL, ...fields } as never, NO_EXECUTION).id;

test.each([
	{ baseUrl: 'http://gpu:8081' },
	{ baseUrl: 'https://gpu:8080' },
	{ baseUrl: 'http://gpu:8080/team' },
	{ apiKey: 'sk-9876543210' },
	{ authentication: 'xApiKey' },
	{ extraHeaders: { header: [{ name: 'X-Team', value: 'a' }] } },
	{ ignoreSslIssues: true },
])('a server of another credential shares nothing: %j', (fields) => {
	expect(getId(fields)).not.toBe(getId({}));
});

test.each([
	{ baseUrl: 'http://gpu:8080/' },
	{ baseUrl: 'http://gpu:8080/v1' },
	{ maxConcurrentRequests: 3 },
	{ serverType: 'vllm' },
])('a server with the same address and key shares all: %j', (fields) => {
	expect(getId(fields)).toBe(getId({}));
	expect(getId(fields)).not.toContain(CREDENTIAL.apiKey);
});

test('the secrets are those of the headers and of the proxy of the environment', () => {
	const { https_proxy: before } = process.env;
	process.env.https_proxy = 'http://user:proxy-password@proxy:3128';
	try {
		const { secrets } = createModelServer(CREDENTIAL, NO_EXECUTION);
		expect(secrets).toContain(CREDENTIAL.apiKey);
		expect(secrets.some((secret) => secret.includes('proxy-password'))).toBe(true);
	} finally {
		if (before === undefined) delete process.env.https_proxy;
		else process.env.https_proxy = before;
	}
});

test('the egress filter of n8n is asked for, where n8n has one', () => {
	const { url, headers, ignoreSslIssues } = createModelServer(CREDENTIAL, NO_EXECUTION);
	const egressFilter = { createSecureLookup: () => undefined };
	const create = (helpers?: object) => createEndpoint({ url, headers, ignoreSslIssues, helpers });
	const helpers = { getSecureEgressFilter: () => egressFilter };
	expect(create(helpers)).toMatchObject({ egressFilter, n8nHelpers: helpers });
	expect(create({ getSecureEgressFilter: () => null }).egressFilter).toBeUndefined();
	expect(create({}).egressFilter).toBeUndefined();
	expect(create().egressFilter).toBeUndefined();
});

test.each(Object.values(SERVER_TYPES))('errors at $name have its suggestions', (serverType) => {
	const { errorContext } = createModelServer(CREDENTIAL, NO_EXECUTION);
	jest.spyOn(PROFILE, 'getCachedType').mockReturnValue(serverType);
	const { texts, name } = serverType;
	const model = 'gpt-oss:20b-cloud';
	const isCloudModel = name === 'ollama' || undefined;
	expect(errorContext.getServerFacts?.(model)).toEqual({ serverType: name, isCloudModel });
	for (const type of ['promptTooLong', 'modelLoading', 'aborted'] as const) {
		const plain = createServerError(type, {}).suggestion;
		const { suggestion } = createServerError(type, { ...errorContext, model });
		expect(suggestion).toBe(texts.suggestions?.[type] ?? plain);
	}
});

test('slots, address and API are those of the profile', () => {
	const server = createModelServer(
		{ ...CREDENTIAL, baseUrl: 'http://gpu-of-slots:8080' },
		NO_EXECUTION,
	);
	expect(server.getSlots('m')).toBeUndefined();
	expect(server.getApiUrl()).toBe('http://gpu-of-slots:8080/v1');
	const getSlots = jest.spyOn(PROFILE, 'getCachedSlots').mockReturnValue(4);
	expect(server.getSlots('m')).toBe(4);
	expect(getSlots).toHaveBeenCalledWith('m');
});
