/** The table of texts: those of each error type, what each fact changes in them, the words of each row with facts, code and server type. */
import path from 'node:path';
import type { ErrorType } from '../../../lib/errors/error-types';
import {
	ERROR_TYPES,
	getErrorText,
	getHealthStatus,
	isClosedConnection,
	isConnectionError,
	isRequestError,
	isRetryable,
	isUnknownError,
} from '../../../lib/errors/error-types';
import type { KnownFacts } from '../../../lib/errors/facts';
import { expectApproved } from '../../support/approved/approved-table';
import type { ApprovedRow } from '../../support/approved/approved-table';
import { listTableTexts } from './table-texts';
import { listServerTexts } from '../servers/types/server-texts';

const FACTS: ReadonlyArray<readonly [string, KnownFacts]> = [
	[
		'at a URL',
		{
			url: 'http://gpu:8080/v1/chat',
			host: 'gpu',
			port: '8080',
			root: 'http://gpu:8080',
			typed: 'gpu:8080',
		},
	],
	[
		'at localhost',
		{
			url: 'http://localhost:8080/v1',
			host: 'localhost',
			port: '8080',
			root: 'http://localhost:8080',
			typed: 'localhost:8080',
		},
	],
	[
		'at https',
		{ url: 'https://gpu/v1', host: 'gpu', port: '', root: 'https://gpu', typed: 'https://gpu' },
	],
	[
		'answered',
		{
			hasAnswered: true,
			url: 'http://gpu:8080/v1',
			host: 'gpu',
			port: '8080',
			root: 'http://gpu:8080',
		},
	],
	...[
		'ECONNREFUSED',
		'ENOTFOUND',
		'EAI_AGAIN',
		'EHOSTUNREACH',
		'ECONNRESET',
		'CERT_HAS_EXPIRED',
		'DEPTH_ZERO_SELF_SIGNED_CERT',
		'ERR_TLS_CERT_ALTNAME_INVALID',
		'EPROTO',
	].map((code) => [`code ${code}`, { code, host: 'gpu' }] as const),
	['after 90 s', { timeoutMs: 90_000 }],
	['after no time', { timeoutMs: 0 }],
	['a probe of 5 s', { probeTimeoutMs: 5_000 }],
	['a reason', { failureReason: 'it is broken' }],
	...[400, 404, 413, 429, 502, 503, 524].map(
		(status) => [`status ${String(status)}`, { status }] as const,
	),
	['a model', { model: 'qwen3' }],
	['a redirect', { location: 'http://other/v1', root: 'http://gpu' }],
	['a tool', { tool: 'look' }],
	['details', { details: 'a is missing' }],
	['a limit of tokens', { maxTokens: 100 }],
	['ended by the model', { hasModelEnded: true }],
	['thinking is off', { isThinkingOff: true }],
	['no key', { isKeyMissing: true }],
	['files', { hasFiles: true }],
	['no files', { hasFiles: false }],
	['no sentence', { isEmpty: true }],
	['no sentence, status 500', { isEmpty: true, status: 500 }],
	['a whole message', { isWholeMessage: true }],
	['a page', { isPage: true, status: 400 }],
	['a page of Node', { isNodePage: true }],
	['a response of Dify', { isDify: true }],
	...(['nginx', 'Cloudflare'] as const).map(
		(gateway) => [`gateway ${gateway}`, { gateway }] as const,
	),
	['only pings', { onlyReceived: 'pings' }],
	['nothing received', { onlyReceived: 'nothing' }],
	['the start of a run', { isRunStart: true }],
	['a chat message', { isChatMessage: true }],
	['a knowledge base', { isKnowledge: true }],
];

/** All facts that are alike, and those that the service of Dify adds. */
const SERVICES: ReadonlyArray<readonly [string, KnownFacts]> = [
	['', {}],
	[' of Dify', { service: 'dify' }],
	[' of Dify Cloud', { service: 'dify', host: 'api.dify.ai' }],
];

const toOutcome = (type: ErrorType, facts: KnownFacts) => {
	const { title, detail, suggestion } = getErrorText(type, facts);
	return [title, detail, suggestion].filter(Boolean).join(' || ');
};

const describeMeaning = (type: ErrorType) => {
	const marks = {
		connection: isConnectionError(type),
		closed: isClosedConnection(type),
		request: isRequestError(type),
		unknown: isUnknownError(type),
		retryable: isRetryable(type),
	};
	const health = [getHealthStatus(type), getHealthStatus(type, 'dify')];
	const set = Object.entries(marks).filter(([, isSet]) => isSet);
	return [...new Set(health), ...set.map(([name]) => name)].join(', ');
};

/** Rows of a type: without facts, and with each fact that changes a sentence. Facts with the same outcome share a row. */
const describeType = (type: ErrorType): ApprovedRow[] => {
	const named = new Map<string, string[]>();
	for (const [service, ofService] of SERVICES) {
		const plain = toOutcome(type, ofService);
		for (const [name, facts] of [['', {}] as const, ...FACTS]) {
			const outcome = toOutcome(type, { ...facts, ...ofService });
			const isChange = name === '' ? service === '' || !named.has(plain) : outcome !== plain;
			if (isChange) named.set(outcome, [...(named.get(outcome) ?? []), `${name}${service}`.trim()]);
		}
	}
	const texts = [...named].map(([outcome, names]) => ({
		input: `${type} ${names.join(', ')}`.trim(),
		outcome,
	}));
	return [{ input: `${type} means`, outcome: describeMeaning(type) }, ...texts];
};

test('each type has its meaning, and its texts for each fact; each row its words', () => {
	expectApproved(
		path.join(__dirname, 'error-types.approved.txt'),
		[
			...ERROR_TYPES.flatMap(describeType),
			...listTableTexts(),

			...listServerTexts(),
		],
		'Errors are told in words that fit the facts that are known, and no others',
	);
});

test('each fact that the words of a type read is in the table', () => {
	const named = new Set([...FACTS, ...SERVICES].flatMap(([, facts]) => Object.keys(facts)));
	const read = new Set<string>();
	const facts = new Proxy<KnownFacts>(
		{},
		{
			get: (_facts, name) => {
				read.add(String(name));
				return undefined;
			},
		},
	);
	for (const type of ERROR_TYPES) getErrorText(type, facts);
	expect([...read].filter((name) => !named.has(name))).toEqual([]);
});
