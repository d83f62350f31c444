import { createHash } from 'node:crypto';

import { uploadName } from '../../http/multipart';
import { metadataIn } from './retrieve';
import { cutName, fileDocumentName } from './names';
import { idOf } from './pages';
import { isAvailable, isEnabled } from './documents';
import { invalidParam, localError } from '../failure';
import { nonEmptyText, type JsonRecord } from '../../values';

/** Metadata fields by which a document is known again. */
export const SOURCE_FIELD = 'n8n_source';
export const HASH_FIELD = 'n8n_hash';

/** One file or text that the base should hold. */
export interface SyncSource {
	/** Stable ID: a path, or the ID in the store where it lies. */
	source: string;
	/** Changes when the content does. */
	hash: string;
	/** Name of a document that is made for it. */
	name: string;
}

export type MissingSourceAction = 'disable' | 'delete' | 'keep';

export interface SyncRules {
	/** What happens to documents whose source is gone. */
	whenGone: MissingSourceAction;
	/** More than so many of 100 known documents gone is an error. */
	mostGonePercent: number;
	/** The sources are all there are. Otherwise nothing counts as gone. */
	isComplete: boolean;
}

/** What is to be done for one source, or for a document whose source is gone. */
export type SyncStep =
	| { action: 'unchanged'; source: string; document: JsonRecord }
	| { action: 'create'; source: string; hash: string; name: string }
	/** Found by its name, or known with another content or in a state in which it is not found. */
	| { action: 'update'; source: string; hash: string; name: string; document: JsonRecord }
	/** Its source came back as it was. */
	| { action: 'enable'; source: string; document: JsonRecord }
	| { action: 'disable' | 'delete'; source: string; document: JsonRecord };

/**
 * What brings a base in step with its sources. Only documents that a sync has made, or whose name is that of a source,
 * are touched. Nothing is asked and nothing is changed here, so that the same list shows what would be done.
 *
 * @param documents all documents of the base
 * @throws {ServerError} where more is gone than the rules allow
 */
export function planSync(
	sources: readonly SyncSource[],
	documents: readonly JsonRecord[],
	rules: SyncRules,
): SyncStep[] {
	const { known, extra } = bySource(documents);
	const names = new Names(sources, documents, known);
	const steps = sources.map((each): SyncStep => stepFor(each, known.get(each.source), names));
	return [...steps, ...goneSteps(sources, known, extra, rules)];
}

function stepFor({ source, hash, name }: SyncSource, document: JsonRecord | undefined, names: Names): SyncStep {
	if (document === undefined) {
		const own = names.free(source, name);
		const found = names.unmanaged(own);
		return found === undefined
			? { action: 'create', source, hash, name: own }
			: { action: 'update', source, hash, name: own, document: found };
	}
	const isSame = metadataIn(document.doc_metadata)[HASH_FIELD] === hash;
	if (isSame && isAvailable(document)) return { action: 'unchanged', source, document };
	const isIndexed = document.indexing_status === 'completed';
	if (isSame && isIndexed) return { action: 'enable', source, document };
	// Dify cannot rename: a known document keeps its name.
	return { action: 'update', source, hash, name: nonEmptyText(document.name) ?? names.free(source, name), document };
}

interface Known {
	known: Map<string, JsonRecord>;
	/** Second documents of one source, as two syncs at once leave them. */
	extra: Array<{ source: string; document: JsonRecord }>;
}

function bySource(documents: readonly JsonRecord[]): Known {
	const known = new Map<string, JsonRecord>();
	const extra: Known['extra'] = [];
	for (const document of documents) {
		const source = nonEmptyText(metadataIn(document.doc_metadata)[SOURCE_FIELD]);
		if (source === undefined || idOf(document) === undefined) continue;
		const first = known.get(source);
		// The one that is found stays.
		const isBetter = first !== undefined && !isAvailable(first) && isAvailable(document);
		if (first === undefined || isBetter) known.set(source, document);
		if (first !== undefined) extra.push({ source, document: isBetter ? first : document });
	}
	return { known, extra };
}

function goneSteps(
	sources: readonly SyncSource[],
	known: ReadonlyMap<string, JsonRecord>,
	extra: Known['extra'],
	{ whenGone, mostGonePercent, isComplete }: SyncRules,
): SyncStep[] {
	if (whenGone === 'keep' || !isComplete || sources.length === 0) return [];
	const wanted = new Set(sources.map(({ source }) => source));
	const isDone = (document: JsonRecord) => whenGone === 'disable' && !isEnabled(document);
	const gone = [...known].filter(([source, document]) => !wanted.has(source) && !isDone(document));
	const standing = [...known.values()].filter((document) => !isDone(document)).length;
	if (gone.length > (standing * mostGonePercent) / 100)
		throw localError(
			'dataset',
			`${gone.length} of ${standing} documents have no source any more, which is more than ${mostGonePercent} %`,
			`Nothing was changed. Is the list of sources complete? If so, raise "Most Gone (%)" in the options. Gone are, for example: ${gone
				.slice(0, 5)
				.map(([source]) => source)
				.join(', ')}.`,
		);
	const twice = extra.filter(({ document }) => !isDone(document));
	return [...gone.map(([source, document]) => ({ source, document })), ...twice].map(({ source, document }) => ({
		action: whenGone,
		source,
		document,
	}));
}

/** Gives each new document a name of its own, always the same one for the same source. */
class Names {
	private readonly taken = new Set<string>();
	private readonly foreign = new Map<string, JsonRecord>();
	private readonly wanted = new Map<string, number>();

	constructor(
		sources: readonly SyncSource[],
		documents: readonly JsonRecord[],
		known: ReadonlyMap<string, JsonRecord>,
	) {
		for (const { source, name } of sources)
			if (!known.has(source))
				this.wanted.set(fileDocumentName(name), (this.wanted.get(fileDocumentName(name)) ?? 0) + 1);
		for (const document of documents) {
			const name = nonEmptyText(document.name);
			if (name === undefined) continue;
			if (nonEmptyText(metadataIn(document.doc_metadata)[SOURCE_FIELD]) !== undefined) this.taken.add(name);
			else if (!this.foreign.has(name) || isEnabled(document)) this.foreign.set(name, document);
		}
	}

	/** The name, with eight characters of the source's hash where it was cut, or where another source has it too. */
	free(source: string, name: string): string {
		const own = fileDocumentName(name);
		const isUnique = !this.taken.has(own) && (this.wanted.get(own) ?? 0) <= 1;
		if (isUnique && [...own].length === [...uploadName(name)].length) return own;
		return cutName(uploadName(name), `-${sha256(source).slice(0, 8)}`);
	}

	/** A document of that name that no sync has made, or whose sync broke off before it was marked. */
	unmanaged(name: string): JsonRecord | undefined {
		return this.foreign.get(name);
	}
}

export function sha256(content: string): string {
	return createHash('sha256').update(content).digest('hex');
}

/** The hash of a file, read piece by piece. */
export async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
	const hash = createHash('sha256');
	for await (const piece of content) hash.update(piece);
	return hash.digest('hex');
}

/** @throws {ServerError} where two items have the same source, which would take turns in one document */
export function checkSources(sources: readonly SyncSource[]): void {
	const seen = new Set<string>();
	for (const { source } of sources) {
		if (seen.has(source))
			throw invalidParam(
				`Two items have the source "${source.slice(0, 100)}"`,
				'Each item needs a source of its own, such as the path or the ID of its file.',
			);
		seen.add(source);
	}
}
