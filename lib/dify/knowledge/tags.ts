import { nonEmptyText, recordsIn, type JsonRecord } from '../../values';
import { refusedHere } from '../failure';
import type { KnowledgeApi } from './api';
import { existed } from './bases';

const TAGS = '/datasets/tags';
const MAX_NAME = 50;

/** All tags of the workspace. */
export async function listTags(api: KnowledgeApi, signal?: AbortSignal): Promise<JsonRecord[]> {
	const answer = await api.read(TAGS, { signal });
	return recordsIn(answer);
}

/** The tags of one base. */
export async function tagsOf(api: KnowledgeApi, baseId: string, signal?: AbortSignal): Promise<JsonRecord[]> {
	return recordsIn((await api.get(`/datasets/${baseId}/tags`, { signal })).data);
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has made the tag, but fails to show it */
export async function createTag(api: KnowledgeApi, name: string, signal?: AbortSignal): Promise<JsonRecord> {
	checkName(name);
	return api.objectIn(await api.change(undefined, 'POST', TAGS, { body: { name }, signal }), TAGS);
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has renamed the tag, but fails to show it */
export async function renameTag(
	api: KnowledgeApi,
	tagId: string,
	name: string,
	signal?: AbortSignal,
): Promise<JsonRecord> {
	checkName(name);
	return api.objectIn(await api.change(undefined, 'PATCH', TAGS, { body: { tag_id: tagId, name }, signal }), TAGS);
}

/** @returns false where there was none */
export async function deleteTag(api: KnowledgeApi, tagId: string, signal?: AbortSignal): Promise<boolean> {
	return await existed(api.change(undefined, 'DELETE', TAGS, { body: { tag_id: tagId }, signal }));
}

/** Gives a base tags, beside those that it has. */
export async function bindTags(
	api: KnowledgeApi,
	baseId: string,
	tagIds: readonly string[],
	signal?: AbortSignal,
): Promise<void> {
	const body = { tag_ids: someOf(tagIds), target_id: baseId };
	await api.change(undefined, 'POST', `${TAGS}/binding`, { body, signal });
}

/** Takes tags from a base: one at a time, which is all that Dify 1.12 knows; newer versions want a list. */
export async function unbindTags(
	api: KnowledgeApi,
	baseId: string,
	tagIds: readonly string[],
	signal?: AbortSignal,
): Promise<void> {
	for (const tagId of someOf(tagIds)) {
		const body = { tag_id: tagId, tag_ids: [tagId], target_id: baseId };
		await api.change(undefined, 'POST', `${TAGS}/unbinding`, { body, signal });
	}
}

function someOf(tagIds: readonly string[]): string[] {
	if (tagIds.length > 0) return [...tagIds];
	throw refusedHere('invalidParam', 'There is no tag', 'Choose at least one tag.');
}

function checkName(name: string): void {
	if (nonEmptyText(name.trim()) === undefined)
		throw refusedHere('invalidParam', 'The name of the tag is empty', 'Give a name.');
	if ([...name].length > MAX_NAME)
		throw refusedHere('invalidParam', `The name of the tag has more than ${MAX_NAME} characters`, 'Shorten it.');
}
