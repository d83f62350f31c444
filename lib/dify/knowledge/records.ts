import { isRecord, type JsonRecord, nonEmptyText, recordsIn, text } from '../../values';

export type Technique = 'high_quality' | 'economy';

/** The ID of a record, where Dify gives one. */
export function idOf(record: JsonRecord): string | undefined {
	return nonEmptyText(record.id);
}

/** Indexing technique of a base; undefined until its first document. */
export function techniqueOf(base: JsonRecord): Technique | undefined {
	return base.indexing_technique === 'high_quality' || base.indexing_technique === 'economy'
		? base.indexing_technique
		: undefined;
}

/** Whether the knowledge is stored outside Dify: this API cannot write or search it. */
export function isExternal(base: JsonRecord): boolean {
	return text(base.provider) === 'external';
}

/** Form of the chunks of a base; undefined until its first document. */
export function formOf(base: JsonRecord): string | undefined {
	return nonEmptyText(base.doc_form) ?? nonEmptyText(base.chunk_structure);
}

/** Whether a document takes part in retrieval, or would once it is indexed. */
export function isEnabled(document: JsonRecord): boolean {
	return document.enabled !== false;
}

export function isArchived(document: JsonRecord): boolean {
	return document.archived === true;
}

/** Indexed, enabled and not archived. */
export function isAvailable(document: JsonRecord): boolean {
	if (typeof document.display_status === 'string') return document.display_status === 'available';
	return document.indexing_status === 'completed' && isEnabled(document) && !isArchived(document);
}

/** Values by name: an object in hits, a list of fields in documents. */
export function metadataIn(value: unknown): JsonRecord {
	if (isRecord(value)) return value;
	return Object.fromEntries(
		recordsIn(value).flatMap((field) =>
			typeof field.name === 'string' ? [[field.name, field.value]] : [],
		),
	);
}
