/** Inputs of many sizes at each server type: what is told of those that were truncated, or left little of the context. */
import path from 'node:path';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';
import { collectInputWarnings, collectTruncationWarnings } from '../../../lib/servers/truncation';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ServerType } from '../../../lib/servers/types/server-type';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const SERVER = createModelServer({ baseUrl: 'http://gpu:8080' }, NO_EXECUTION);
const PROFILE = Object.getPrototypeOf(getProfile(SERVER)) as ReturnType<typeof getProfile>;

afterEach(() => {
	jest.restoreAllMocks();
});

const prose = (characters: number) => 'What is it, a word? '.repeat(characters / 20);
const wide = (characters: number) => '今天天气怎么样啊谢谢'.repeat(characters / 10);

/** Texts by their names. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
	short: [prose(1_980)],
	'2,000 characters': [prose(2_000)],
	'2,000 characters in two texts': [prose(1_000), prose(1_000)],
	'2,000 wide characters': [wide(2_000)],
	'2,000 blanks': [' '.repeat(2_000)],
	'40,000 characters': [prose(40_000)],
};

interface Facts {
	processed: number | undefined;
	/** Known before. */
	cached?: number;
	/** As the server type finds it out. */
	limit?: number;
	trained?: number;
	slots?: number;
}

const FACTS: readonly Facts[] = [
	{ processed: undefined },
	{ processed: 0 },
	{ processed: 100 },
	{ processed: 500 },
	{ processed: 500, cached: 550 },
	{ processed: 500, cached: 555 },
	{ processed: 500, cached: 556 },
	{ processed: 500, cached: 499 },
	{ processed: 500, cached: 510, trained: 510 },
	{ processed: 500, cached: 510, trained: 700 },
	{ processed: 500, cached: 510, slots: 4 },
	{ processed: 500, limit: 500 },
	{ processed: 470, limit: 512 },
	{ processed: 370, limit: 512, trained: 512 },
	{ processed: 370, limit: 512, trained: 32_768 },
	{ processed: 370, limit: 800 },
	{ processed: 4_096, limit: 8_192 },
	{ processed: 4_096, limit: 4_096, trained: 8_192 },
	{ processed: 3_900, limit: 4_096, cached: 100 },
];

async function check(serverType: ServerType, texts: readonly string[], facts: Facts) {
	const { processed: processedTokens, cached, limit, trained = Infinity, slots } = facts;
	const getTruncationLimit =
		serverType.getTruncationLimit && (async () => await Promise.resolve(limit));
	jest.spyOn(PROFILE, 'fetchType').mockResolvedValue({ ...serverType, getTruncationLimit });
	jest.spyOn(PROFILE, 'getCachedContext').mockReturnValue(cached);
	jest.spyOn(PROFILE, 'fetchTrainedContext').mockResolvedValue(trained);
	jest.spyOn(PROFILE, 'getCachedSlots').mockReturnValue(slots);
	const input = { texts, processedTokens, model: 'm' };
	const truncated = await collectTruncationWarnings(SERVER, input);
	const all = await collectInputWarnings(SERVER, input);
	expect(all.slice(0, truncated.length)).toEqual(truncated);
	return { truncated: truncated.length > 0, all };
}

/** What was known before is crossed with one text only, and no short text has thousands of tokens. */
const isOf = (name: string, { processed = 0, cached }: Facts) =>
	name === '40,000 characters'
		? processed > 1_000 || cached === undefined
		: processed < 1_000 && (cached === undefined || name === '2,000 characters');

test('each input has its warning', async () => {
	const outcomes = [];
	for (const [name, texts] of Object.entries(TEXTS))
		for (const facts of FACTS.filter((row) => isOf(name, row)))
			for (const serverType of Object.values(SERVER_TYPES)) {
				const { truncated, all } = await check(serverType, texts, facts);
				if (all.length === 0) continue;
				const subject = `${name}, ${JSON.stringify(facts)}`;
				const outcome = `${truncated ? '' : 'not truncated: '}${all.join(' ')}`;
				outcomes.push({ subject, place: serverType.name, outcome });
			}
	expectApproved(
		path.join(__dirname, 'truncation.any-input.approved.txt'),
		joinPlaces(outcomes),
		'A truncated input is told, and only that',
	);
});
