import { path, url, vm } from './node';

const importNatively = vm.runInThisContext('(specifier) => import(specifier)', {
	importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (specifier: string) => Promise<unknown>;

/**
 * A module of `scripts` or `bench`, for tests. They are ES modules that run on the machine's own Node before anything is
 * installed; jest translates to CommonJS and cannot load those, so this goes past jest, to Node's own loader.
 *
 * @param file from the folder of the repository, without `.mjs`
 */
export async function loadModule<T>(file: string): Promise<T> {
	return (await importNatively(url.pathToFileURL(path.resolve(`${file}.mjs`)).href)) as T;
}

/**
 * One of the modules in `scripts/lib`.
 *
 * @param name file name without `.mjs`
 */
export async function loadScript<T>(name: string): Promise<T> {
	return await loadModule<T>(`scripts/lib/${name}`);
}
