import { nonEmptyText, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure, invalidParam } from '../errors/failure';
import { collectPages, type Limit } from '../paging';

/** Dify's largest page of annotations; a larger limit is silently lowered to it (docs/protocols/dify.md 2.12). */
const PAGE_SIZE = 100;

export interface Annotation {
	question: string;
	answer: string;
}

/**
 * Annotations of an app, newest first (in no order within one second). `keyword`: part of the question or the answer,
 * case-insensitive.
 */
export async function listAnnotations(
	client: DifyClient,
	keyword: string,
	most: Limit,
): Promise<JsonRecord[]> {
	const ask = async (paging: object) =>
		await client.get('/apps/annotations', { ...paging, keyword });
	return await collectPages(most, PAGE_SIZE, ask);
}

/** @throws {ServerError} where a text is empty: Dify would store it */
export async function createAnnotation(
	client: DifyClient,
	annotation: Annotation,
): Promise<JsonRecord> {
	return await client.send('POST', '/apps/annotations', { ...checked(annotation) });
}

/**
 * Changes question and answer. Dify 1.12 and 1.14 change annotations of other apps as well, so the ID is looked for in
 * the list of this one first.
 *
 * @throws {ServerError} of kind `notFound`
 */
export async function updateAnnotation(
	client: DifyClient,
	id: string,
	annotation: Partial<Annotation>,
): Promise<JsonRecord> {
	const known = await annotationOf(client, id);
	const next = {
		question: annotation.question ?? nonEmptyText(known.question) ?? '',
		answer: annotation.answer ?? nonEmptyText(known.answer) ?? '',
	};
	return await client.send('PUT', `/apps/annotations/${id}`, checked(next), { idempotent: true });
}

/** As `updateAnnotation`: only of this app. @throws {ServerError} of kind `notFound` */
export async function deleteAnnotation(client: DifyClient, id: string): Promise<void> {
	await annotationOf(client, id);
	await client.send('DELETE', `/apps/annotations/${id}`, {});
}

/**
 * Creates an annotation, or changes the answer of the one with exactly this question. Of several, the newest is changed.
 *
 * @returns what is stored, and whether it is new
 */
export async function upsertAnnotation(
	client: DifyClient,
	annotation: Annotation,
): Promise<{ annotation: JsonRecord; created: boolean }> {
	const { question, answer } = checked(annotation);
	// Dify searches in the stored texts, so a long question is found by its beginning. It must not be cut inside an
	// emoji.
	const beginning = [...question].slice(0, 60).join('');
	const found = await listAnnotations(client, beginning, 'all');
	const known = found.find((one) => one.question === question);
	const id = nonEmptyText(known?.id);
	if (id === undefined)
		return { annotation: await createAnnotation(client, annotation), created: true };
	if (known!.answer === answer) return { annotation: known!, created: false };
	const body = { question, answer };
	return {
		annotation: await client.send('PUT', `/apps/annotations/${id}`, body, { idempotent: true }),
		created: false,
	};
}

async function annotationOf(client: DifyClient, id: string): Promise<JsonRecord> {
	const found = (await listAnnotations(client, '', 'all')).find((one) => one.id === id);
	if (found !== undefined) return found;
	throw difyFailure('notFound', {
		url: client.url(`/apps/annotations/${id}`),
		message: 'This app has no annotation with this ID',
		remedy: 'Take the ID from Annotation: Get Many, with the credential of the same app.',
		retryable: false,
	});
}

function checked({ question, answer }: Annotation): JsonRecord & Annotation {
	for (const [name, text] of Object.entries({ Question: question, Answer: answer }))
		if (text.trim() === '')
			throw invalidParam(
				`The field "${name}" is empty`,
				'An annotation needs a question and an answer.',
			);
	return { question, answer };
}
