/** What is told of a failure names only what a person can find in the editor. */
import type { INodeProperties } from 'n8n-workflow';
import { TABLE } from '../../lib/errors/table';
import { ERROR_TYPES, getErrorText } from '../../lib/errors/error-types';
import type { Facts } from '../../lib/errors/facts';
import { combineFacts, listTableTexts } from '../lib/errors/table-texts';
import { everyOperation, getLabels } from '../support/n8n/every-operation';
import { loadCredentials, loadNode, NODES } from './sources';

/** A label in quotation marks: words that begin with a capital. */
const QUOTED_LABEL =
	/(?<=\b(?:[Rr]aise|[Ss]et|[Tt]urn on|[Cc]hange|[Ll]ower|operation|in) )"([A-Z][\w: ]+)"/g;

/** Made up by the values of the table's test. */
const MADE_UP: readonly string[] = ['Repeat', 'Top K'];

async function collectLabels(): Promise<Set<string>> {
	const nodes = await Promise.all(NODES.map(loadNode));
	const operations = nodes.flatMap(({ description }) => everyOperation(description));
	const credentials = (await loadCredentials()).flatMap(({ properties }) => properties);
	const names = nodes.flatMap(({ description }) => description.properties).flatMap(getChoices);
	const labels = [
		...operations.flatMap(({ labels: all }) => all),
		...credentials.flatMap(getLabels),
		...names,
	];
	// Units are left out in sentences.
	return new Set(labels.map((label) => label.replace(/ \(\w+\)$/, '')));
}

/** Names of operations, as the editor lists them. */
function getChoices({ name, options = [] }: INodeProperties): string[] {
	return name === 'operation' ? options.map((option) => option.name) : [];
}

test('each label in quotation marks is in the editor', async () => {
	const labels = await collectLabels();
	const texts = [
		...listTableTexts().map(({ outcome }) => String(outcome).replaceAll('\\"', '"')),
		...ERROR_TYPES.map((type) => getErrorText(type).suggestion),
	];
	const named = texts.flatMap((text) =>
		Array.from(text.matchAll(QUOTED_LABEL), ([, label]) => label!),
	);
	const unknown = named.filter((label) => !labels.has(label) && !MADE_UP.includes(label));
	expect({ unknown, rows: TABLE.length > 0, hasNamed: named.length > 5 }).toEqual({
		unknown: [],
		rows: true,
		hasNamed: true,
	});
});

/** What is known if Maximum Tokens is set. */
const HAS_LIMIT = /"maxTokens":|"limitedChat"|"responseTokens":/;

test('a limit of tokens is to be raised or lowered only if it is set', () => {
	const advices = TABLE.flatMap(({ types, needs, tell: write }) =>
		combineFacts(needs).flatMap(({ facts }) => {
			const words = write(facts as unknown as Facts, getErrorText(types[0]!).suggestion);
			const advice = typeof words === 'string' ? words : (words?.suggestion ?? '');
			return { advice, facts: JSON.stringify(facts) };
		}),
	);
	const ofTypes = ERROR_TYPES.map((type) => ({
		advice: getErrorText(type).suggestion,
		facts: '',
	}));
	const changing = [...advices, ...ofTypes].filter(({ advice }) =>
		/\b(?:[Rr]aise|[Ll]ower) Maximum Tokens|Maximum Tokens: lower it/.test(advice),
	);
	expect(changing.length).toBeGreaterThan(4);
	expect(changing.filter(({ facts }) => !HAS_LIMIT.test(facts))).toEqual([]);
});

test.each([
	{ operation: 'Local Llama text extract', has: false },
	{ operation: 'Local Llama text chat', has: true },
])('$operation has the option against repetition: $has', async ({ operation, has }) => {
	const { description } = await loadNode('LocalLlama');
	const { labels } = everyOperation(description).find(({ name }) => name === operation)!;
	expect(labels.includes('Sampling: Repeat Penalty')).toBe(has);
});
