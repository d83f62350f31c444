import { createHash } from 'node:crypto';

import { uploadName } from '../../http/multipart';
import { cutName, fileDocumentName } from './names';
import { idOf, isAvailable, isEnabled, metadataIn } from './records';
import { invalidParam, localError } from '../errors/failure';
import { timeSlices, type Pause } from '../../http/time-slices';
import { append, nonEmptyText, type JsonRecord } from '../../values';

/** Metadata fields that link a document to its source and content. */
export const SOURCE_FIELD = 'n8n_source';
export const HASH_FIELD = 'n8n_hash';

/** One file or text that the base should hold. */
export interface SyncSource {
	/** Stable ID: a path, or the ID in its store. */
	source: string;
	/** Changes when the content does. */
	hash: string;
	/** Name of a new document for it. */
	name: string;
}

export type MissingSourceAction = 'disable' | 'delete' | 'keep';

export interface SyncRules {
	/** What to do with documents whose source is gone. */
	whenGone: MissingSourceAction;
	/** More gone documents than this, in percent of the known ones, is an error. */
	mostGonePercent: number;
	/** The list of sources is complete. Otherwise nothing counts as gone. */
	isComplete: boolean;
}

/** Step for one source, or for a document whose source is gone. */
export type SyncStep =
	| { action: 'unchanged'; source: string; document: JsonRecord }
	| { action: 'create'; source: string; hash: string; name: string }
	/** A document found by its name, or a known one with another content or status. */
	| { action: 'update'; source: string; hash: string; name: string; document: JsonRecord }
	/** The source came back unchanged. */
	| { action: 'enable'; source: string; document: JsonRecord }
	| { action: 'disable' | 'delete'; source: string; document: JsonRecord };

/**
 * The steps that sync a base with its sources. They touch only documents that a sync made, or with the name of a
 * source. Pure, so the same list serves as a dry run.
 *
 * @param documents all documents of the base
 * @throws {ServerError} where more is gone than the rules allow
 */
export async function planSync(
	sources: readonly SyncSource[],
	documents: readonly JsonRecord[],
	rules: SyncRules,
): Promise<SyncStep[]> {
	const pause = timeSlices();
	const managed = await bySource(documents, pause);
	const names = new Names();
	for (const { source, name } of sources) {
		if (!managed.known.has(source)) names.request(name);
		await pause();
	}
	for (const document of documents) {
		names.take(document);
		await pause();
	}
	const steps: SyncStep[] = [];
	for (const each of sources) {
		steps.push(stepFor(each, managed.known.get(each.source), names));
		await pause();
	}
	append(steps, goneSteps(sources, managed, rules));
	return steps;
}

function stepFor(
	{ source, hash, name }: SyncSource,
	document: JsonRecord | undefined,
	names: Names,
): SyncStep {
	if (document === undefined) {
		const own = names.free(source, name);
		const unmanaged = names.unmanaged(own);
		if (unmanaged === undefined) return { action: 'create', source, hash, name: own };
		return { action: 'update', source, hash, name: own, document: unmanaged };
	}
	const isSame = metadataIn(document.doc_metadata)[HASH_FIELD] === hash;
	if (isSame && isAvailable(document)) return { action: 'unchanged', source, document };
	const isIndexed = document.indexing_status === 'completed';
	if (isSame && isIndexed) return { action: 'enable', source, document };
	// Dify cannot rename documents, so a known one keeps its name.
	return {
		action: 'update',
		source,
		hash,
		name: nonEmptyText(document.name) ?? names.free(source, name),
		document,
	};
}

/** Documents that a sync made. */
interface Managed {
	/** By their source. */
	known: Map<string, JsonRecord>;
	/** Further documents of one source, left by two syncs at once. */
	extra: Array<{ source: string; document: JsonRecord }>;
}

function sourceOf(document: JsonRecord): string | undefined {
	return nonEmptyText(metadataIn(document.doc_metadata)[SOURCE_FIELD]);
}

async function bySource(documents: readonly JsonRecord[], pause: Pause): Promise<Managed> {
	const managed: Managed = { known: new Map(), extra: [] };
	for (const document of documents) {
		const source = sourceOf(document);
		if (source !== undefined && idOf(document) !== undefined) addTo(managed, source, document);
		await pause();
	}
	return managed;
}

/** Of several documents, an available one counts as that of the source. */
function addTo({ known, extra }: Managed, source: string, document: JsonRecord): void {
	const first = known.get(source);
	if (first === undefined) known.set(source, document);
	else if (isAvailable(first) || !isAvailable(document)) extra.push({ source, document });
	else {
		known.set(source, document);
		extra.push({ source, document: first });
	}
}

function goneSteps(
	sources: readonly SyncSource[],
	{ known, extra }: Managed,
	{ whenGone, mostGonePercent, isComplete }: SyncRules,
): SyncStep[] {
	if (whenGone === 'keep' || !isComplete || sources.length === 0) return [];
	const present = new Set(sources.map(({ source }) => source));
	const isDone = (document: JsonRecord) => whenGone === 'disable' && !isEnabled(document);
	const gone = [...known].filter(([source, document]) => !present.has(source) && !isDone(document));
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
	return [...gone.map(([source, document]) => ({ source, document })), ...twice].map(
		({ source, document }) => ({
			action: whenGone,
			source,
			document,
		}),
	);
}

/** Gives each new document a unique name, always the same one for the same source. */
class Names {
	private readonly taken = new Set<string>();
	private readonly foreign = new Map<string, JsonRecord>();
	/** How many new documents would have a name. */
	private readonly requests = new Map<string, number>();

	request(name: string): void {
		const own = fileDocumentName(name);
		this.requests.set(own, (this.requests.get(own) ?? 0) + 1);
	}

	take(document: JsonRecord): void {
		const name = nonEmptyText(document.name);
		if (name === undefined) return;
		if (sourceOf(document) !== undefined) this.taken.add(name);
		else if (!this.foreign.has(name) || isEnabled(document)) this.foreign.set(name, document);
	}

	/** The name; if it was cut or is taken, with eight characters of the source's hash. */
	free(source: string, name: string): string {
		const own = fileDocumentName(name);
		const isUnique = !this.taken.has(own) && (this.requests.get(own) ?? 0) <= 1;
		if (isUnique && [...own].length === [...uploadName(name)].length) return own;
		return cutName(uploadName(name), `-${sha256(source).slice(0, 8)}`);
	}

	/** A document of that name without a source: no sync made it, or its sync failed before it was marked. */
	unmanaged(name: string): JsonRecord | undefined {
		return this.foreign.get(name);
	}
}

export function sha256(content: string): string {
	return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of a stream, in hex. */
export async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
	const hash = createHash('sha256');
	for await (const piece of content) hash.update(piece);
	return hash.digest('hex');
}

/** @throws {ServerError} where two items have the same source, which would overwrite each other's document */
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
