/** React's way to a job's store. */
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { JobStore, type StorePart } from './jobStore.ts';

export const JobStoreContext = createContext<JobStore | null>(null);

/** Opens the store of a job for as long as the component lives. */
export function useOpenJob(id: string): JobStore | null {
  const [store, setStore] = useState<JobStore | null>(null);
  useEffect(() => {
    const opened = new JobStore(id);
    setStore(opened);
    void opened.open();
    return () => opened.close();
  }, [id]);
  return store?.id === id ? store : null;
}

/** The store of the page's job; draws again whenever `part` changes. Throws outside a job's page. */
export function useJobPart(part: StorePart): JobStore {
  const store = useContext(JobStoreContext);
  if (!store) throw new Error('useJobPart is for components of a job page.');
  useSyncExternalStore(store.subscribe, () => store.version(part));
  return store;
}

const never = (): (() => void) => () => undefined;

/** Like `useJobPart`, for a store that may not be there yet. */
export function useStorePart(store: JobStore | null, part: StorePart): number {
  return useSyncExternalStore(store?.subscribe ?? never, () => store?.version(part) ?? -1);
}
