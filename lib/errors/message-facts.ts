/**
 * What the message of a server says about an error beyond its type. Each fact changes the advice: a budget of a team
 * is not that of a key, and a model that loads too slowly has enough memory.
 *
 * Sources: LiteLLM (proxy/auth/auth_checks.py, router_utils), One API (middleware/auth.go), Ollama (llm/server.go), llama-swap.
 */
import type { ErrorType } from './error-types';
import { toTitle } from './message-title';
import type { ErrorFacts } from './rows/error-facts';
import { findLoadCause } from './load-cause';
import { findMissingBackend, findUnknownPart } from './load-failure';
import {
	ADDRESS_BANNED_PATTERN,
	GRAMMAR_UNSUPPORTED_PATTERN,
	MEMORY_LIMIT_PATTERN,
	NOT_FETCHED_PATTERN,
	NO_TEMPLATE_PATTERN,
	STARTING_INSTANCE_PATTERN,
} from './signals';
import { findUnreachedHost } from './unreached-host';

type MessageFacts = Pick<
	ErrorFacts,
	| 'isPaused'
	| 'isConcurrencyLimit'
	| 'budgetOwner'
	| 'isKeyExpired'
	| 'isKeyBlocked'
	| 'isLoadTimeout'
	| 'missingBackend'
	| 'unknownPart'
	| 'hasNoTemplate'
	| 'isNotFetched'
	| 'schemaIssue'
	| 'isGrammarUnsupported'
	| 'isInstanceStarting'
	| 'upstreamModel'
	| 'isTemplateBroken'
	| 'loadCause'
	| 'isMemoryLimit'
	| 'unreachedHost'
	| 'isUpstreamRoute'
	| 'forbiddenReason'
	| 'isAddressBanned'
	| 'isProgramFault'
>;

const PAUSED = /\bin cooldown\b|\bcooldown_list=\[[^\]]/i;
/** LiteLLM (proxy/hooks): a limit of the key, its user or its team, not of the server. */
const CONCURRENCY_LIMIT = /\bmax[_ ]parallel[_ ]requests?\b/i;
const KEY_EXPIRED =
	/\bexpired (?:api )?(?:key|token)\b|\b(?:key|token|signature)\b(?: (?:has|have|is|was|already)){0,2} expired\b|令牌已过期/i;
const KEY_BLOCKED =
	/\b(?:key|team|user|token|account|project)\b(?:=\S{1,100})? (?:is|has been|was) (?:blocked|disabled|revoked|suspended|deactivated|banned)\b|令牌状态不可用|用户已被封禁/i;
const LOAD_TIMEOUT =
	/\btimed out waiting for \w+ runner to start\b|\bhealth check timed out\b|\btimed? ?out waiting for (?:the )?(?:model|server|upstream|llama-server)\b.{0,60}\b(?:load|ready|start|health)|\btook too long to (?:initiali[sz]e|load|start)\b|\bmodel load (?:budget|deadline|timeout)\b|\bcold-load deadline\b/i;

/**
 * What template engines say about a template that they cannot run, not what a template says about a conversation: llama-server and
 * LM Studio (functions, filters and tests that their engine lacks), Jinja2, Ollama (fields that its version lacks).
 */
const TEMPLATE_BROKEN =
	/\b(?:something that is not a function|is not callable|callee is not a function)\b|\bUndefinedValue\b|\bunknown (?:test|filter|statement|function|method|operator)\b|\b(?:no (?:filter|test) named|encountered unknown tag)\b|\bparser error\b|\bexpected closing\b|\bcan't evaluate field\b|\bfunction "\w{1,60}" not defined\b|\bcannot read propert(?:y|ies) of\b/i;

/** What JavaScript, Python and Go say about a fault in a program: words in quotation marks in it are no fields of the request. */
const PROGRAM_FAULT =
	/\bcannot read propert(?:y|ies) of (?:null|undefined)\b|\bis not (?:iterable|a function|subscriptable|callable)\b|\bobject has no attribute\b|\b(?:list|string) index out of range\b|\bunhashable type\b|'NoneType' object|\bnil pointer dereference\b/i;

/** Words for who asks, and with which right. */
const ABOUT_KEY =
	/\b(?:keys?|tokens?|permissions?|permitted|authori[sz]\w*|authenticat\w*|credentials?|roles?|scopes?|accounts?|users?|teams?|access)\b|权限|密钥|令牌/i;

/** All that a server writes if it gives no reason. */
const NO_REASON =
	/^(?:(?:403|error):? )?(?:forbidden|access (?:is )?(?:denied|forbidden)|permission denied|not allowed|request (?:is )?(?:denied|rejected|not allowed)|)\W{0,3}$/i;

function findForbiddenReason(message: string) {
	if (NO_REASON.test(message)) return undefined;
	return ABOUT_KEY.test(message) ? 'key' : 'other';
}

/** A file that was fetched, or would have been. */
const TOO_LARGE = /\bsize\b|\btoo (?:large|big)\b/i;

/** What is wrong with a schema, and where: llama-server, in its sentence about templates; older versions; SGLang; vLLM. */
const SCHEMA_ISSUE =
	/\b(?:json schema error(?: at #?([\w/.$~%-]{0,200}))?|json schema conversion failed|failed to compile (?:the )?json schema|grammar error):\s{0,4}([^\n]{1,400})/i;

function findSchemaIssue(message: string): string | undefined {
	const [, place = '', issue = ''] = SCHEMA_ISSUE.exec(message) ?? [];
	const title = toTitle(issue);
	if (!/\w/.test(title)) return undefined;
	return place === '' ? title : `${title} (at ${place})`;
}

/** In this order: a key, a user or a team may have a budget for each model, and a member of a team has a budget of its own. */
const BUDGET_OWNERS: ReadonlyArray<readonly [owner: string, words: RegExp]> = [
	['model', /\bexceeded budget for model=/i],
	['user', /\bteam ?member=|\b(?:end )?user(?:=| \S{1,100} (?:over|has exceeded)\b)/i],
	['project', /\bproject=/i],
	['organization', /\borganization=/i],
	['team', /\bteam=/i],
	['model', /\bbudget for deployment\b/i],
	['provider', /\bbudget for provider\b/i],
	['tag', /\bbudget for tag\b/i],
];

/** LiteLLM passes on what the server behind it lacks; for its own list it says "Invalid model name". */
const UPSTREAM_LACKS = /^litellm\.NotFoundError: (?:\w{1,60}: ){0,2}\w{0,60}Exception\b/;
/** LiteLLM passes on the 404 of a server whose address it has wrong. */
const UPSTREAM_ROUTE = /^litellm\.NotFoundError: /;
const LACKED_MODEL =
	/\bmodels? [\\"'`]{0,3}([\w./:@-]{1,200})[\\"'`]{0,3},? (?:was )?(?:not found|does not exist)\b/i;

/** @param message without what it repeats of the request; `outer`: with the words of gateways around it */
export function findMessageFacts(
	type: ErrorType,
	{ message, outer }: { message: string; outer: string },
): MessageFacts {
	switch (type) {
		case 'busy':
			return {
				isPaused: PAUSED.test(message),
				isConcurrencyLimit: CONCURRENCY_LIMIT.test(message),
			};
		case 'keyBudgetExceeded':
			return { budgetOwner: BUDGET_OWNERS.find(([, words]) => words.test(message))?.[0] };
		case 'unauthorized':
			return {
				isKeyExpired: KEY_EXPIRED.test(message),
				isKeyBlocked: KEY_BLOCKED.test(message),
				isAddressBanned: ADDRESS_BANNED_PATTERN.test(message),
			};
		case 'badRequest':
			return { isProgramFault: PROGRAM_FAULT.test(message) };
		case 'forbidden':
			return { forbiddenReason: findForbiddenReason(message) };
		case 'modelUnreachable':
			return { unreachedHost: findUnreachedHost(message) };
		case 'promptTooLong':
			return { isMemoryLimit: MEMORY_LIMIT_PATTERN.test(message) };
		case 'routeNotFound':
			return { isUpstreamRoute: UPSTREAM_ROUTE.test(outer) };
		case 'modelLoadFailed':
			return {
				isLoadTimeout: LOAD_TIMEOUT.test(message),
				missingBackend: findMissingBackend(message),
				unknownPart: findUnknownPart(message),
				loadCause: findLoadCause(message),
			};
		case 'modelLoading':
			return { isInstanceStarting: STARTING_INSTANCE_PATTERN.test(message) };
		case 'templateRejected':
			return {
				hasNoTemplate: NO_TEMPLATE_PATTERN.test(message),
				isTemplateBroken: TEMPLATE_BROKEN.test(message),
			};
		case 'fileUnreadable':
			return { isNotFetched: NOT_FETCHED_PATTERN.test(message) && !TOO_LARGE.test(message) };
		case 'grammarRejected':
			return {
				schemaIssue: findSchemaIssue(message),
				isGrammarUnsupported: GRAMMAR_UNSUPPORTED_PATTERN.test(message),
			};
		case 'modelNotFound':
			return {
				upstreamModel: UPSTREAM_LACKS.test(outer) ? LACKED_MODEL.exec(message)?.[1] : undefined,
			};
		default:
			return {};
	}
}
