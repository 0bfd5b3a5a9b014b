/* libhdf5 as it is loaded when a file of its kind is first opened: it brings some thirty libraries along, which would
   double the time in which every command starts. Its functions and variables are called by their own names, which stand
   for pointers here. To use one more, add its two lines. */
#ifndef ST_DATA_HDF5_LIBRARY_H
#define ST_DATA_HDF5_LIBRARY_H

#include <hdf5.h>
#include "base/status.h"

/* clang-format off */
#define ST_HDF5_FUNCTIONS(X) \
    X(H5Aclose) \
    X(H5Acreate_by_name) \
    X(H5Aexists_by_name) \
    X(H5Aget_space) \
    X(H5Aget_type) \
    X(H5Aopen_by_name) \
    X(H5Aread) \
    X(H5Awrite) \
    X(H5Dclose) \
    X(H5Dcreate2) \
    X(H5Dget_create_plist) \
    X(H5Dget_num_chunks) \
    X(H5Dget_space) \
    X(H5Dget_storage_size) \
    X(H5Dget_type) \
    X(H5Dread) \
    X(H5Dvlen_reclaim) \
    X(H5Dwrite) \
    X(H5Eset_auto2) \
    X(H5Ewalk2) \
    X(H5Fclose) \
    X(H5Fflush) \
    X(H5Fget_obj_ids) \
    X(H5Fopen) \
    X(H5Gclose) \
    X(H5Gcreate2) \
    X(H5Iget_type) \
    X(H5Ldelete) \
    X(H5Lexists) \
    X(H5Literate) \
    X(H5Oclose) \
    X(H5Oexists_by_name) \
    X(H5Oopen) \
    X(H5Pclose) \
    X(H5Pcreate) \
    X(H5Pget_chunk) \
    X(H5Pget_external_count) \
    X(H5Pget_filter2) \
    X(H5Pget_filter_by_id2) \
    X(H5Pget_layout) \
    X(H5Pget_nfilters) \
    X(H5Pmodify_filter) \
    X(H5Pset_elink_cb) \
    X(H5Pset_file_locking) \
    X(H5Rdereference2) \
    X(H5Sclose) \
    X(H5Screate) \
    X(H5Screate_simple) \
    X(H5Sget_simple_extent_dims) \
    X(H5Sget_simple_extent_ndims) \
    X(H5Sget_simple_extent_npoints) \
    X(H5Sselect_all) \
    X(H5Sselect_hyperslab) \
    X(H5Tarray_create2) \
    X(H5Tclose) \
    X(H5Tcopy) \
    X(H5Tcreate) \
    X(H5Tequal) \
    X(H5Tget_array_dims2) \
    X(H5Tget_array_ndims) \
    X(H5Tget_class) \
    X(H5Tget_member_index) \
    X(H5Tget_member_name) \
    X(H5Tget_member_type) \
    X(H5Tget_nmembers) \
    X(H5Tget_sign) \
    X(H5Tget_size) \
    X(H5Tget_strpad) \
    X(H5Tget_super) \
    X(H5Tinsert) \
    X(H5Tis_variable_str) \
    X(H5Tset_cset) \
    X(H5Tset_size) \
    X(H5Zfilter_avail) \
    X(H5Zregister) \
    X(H5allocate_memory) \
    X(H5close) \
    X(H5free_memory) \
    X(H5open)
#define ST_HDF5_VARIABLES(X) \
    X(H5P_CLS_FILE_ACCESS_ID_g) \
    X(H5P_CLS_LINK_ACCESS_ID_g) \
    X(H5T_C_S1_g) \
    X(H5T_IEEE_F32LE_g) \
    X(H5T_NATIVE_DOUBLE_g) \
    X(H5T_NATIVE_FLOAT_g) \
    X(H5T_NATIVE_INT64_g) \
    X(H5T_NATIVE_UINT16_g) \
    X(H5T_NATIVE_UINT8_g) \
    X(H5T_STD_I64LE_g) \
    X(H5T_STD_REF_OBJ_g)
/* clang-format on */

typedef struct st_hdf5_library {
#define ST_HDF5_FUNCTION(name) __typeof__(&name) at_##name;
#define ST_HDF5_VARIABLE(name) const hid_t *at_##name;
    ST_HDF5_FUNCTIONS(ST_HDF5_FUNCTION)
    ST_HDF5_VARIABLES(ST_HDF5_VARIABLE)
#undef ST_HDF5_FUNCTION
#undef ST_HDF5_VARIABLE
} st_hdf5_library;

extern st_hdf5_library st_hdf5_loaded;

/* Loads it, once. Nothing of it may be used before this has gone well. Errors: IO (it is not there, or another one),
   naming path, the file it is wanted for. */
strait_status st_hdf5_load(const char *path, strait_error *err);

#ifndef ST_HDF5_LOADER
#undef H5CHECK /* would end the program where the library is of another release, though it goes by the same name */
#define H5CHECK
#undef H5Aclose
#define H5Aclose (*st_hdf5_loaded.at_H5Aclose)
#undef H5Acreate_by_name
#define H5Acreate_by_name (*st_hdf5_loaded.at_H5Acreate_by_name)
#undef H5Aexists_by_name
#define H5Aexists_by_name (*st_hdf5_loaded.at_H5Aexists_by_name)
#undef H5Aget_space
#define H5Aget_space (*st_hdf5_loaded.at_H5Aget_space)
#undef H5Aget_type
#define H5Aget_type (*st_hdf5_loaded.at_H5Aget_type)
#undef H5Aopen_by_name
#define H5Aopen_by_name (*st_hdf5_loaded.at_H5Aopen_by_name)
#undef H5Aread
#define H5Aread (*st_hdf5_loaded.at_H5Aread)
#undef H5Awrite
#define H5Awrite (*st_hdf5_loaded.at_H5Awrite)
#undef H5Dclose
#define H5Dclose (*st_hdf5_loaded.at_H5Dclose)
#undef H5Dcreate2
#define H5Dcreate2 (*st_hdf5_loaded.at_H5Dcreate2)
#undef H5Dget_create_plist
#define H5Dget_create_plist (*st_hdf5_loaded.at_H5Dget_create_plist)
#undef H5Dget_num_chunks
#define H5Dget_num_chunks (*st_hdf5_loaded.at_H5Dget_num_chunks)
#undef H5Dget_space
#define H5Dget_space (*st_hdf5_loaded.at_H5Dget_space)
#undef H5Dget_storage_size
#define H5Dget_storage_size (*st_hdf5_loaded.at_H5Dget_storage_size)
#undef H5Dget_type
#define H5Dget_type (*st_hdf5_loaded.at_H5Dget_type)
#undef H5Dread
#define H5Dread (*st_hdf5_loaded.at_H5Dread)
#undef H5Dvlen_reclaim
#define H5Dvlen_reclaim (*st_hdf5_loaded.at_H5Dvlen_reclaim)
#undef H5Dwrite
#define H5Dwrite (*st_hdf5_loaded.at_H5Dwrite)
#undef H5Eset_auto2
#define H5Eset_auto2 (*st_hdf5_loaded.at_H5Eset_auto2)
#undef H5Ewalk2
#define H5Ewalk2 (*st_hdf5_loaded.at_H5Ewalk2)
#undef H5Fclose
#define H5Fclose (*st_hdf5_loaded.at_H5Fclose)
#undef H5Fflush
#define H5Fflush (*st_hdf5_loaded.at_H5Fflush)
#undef H5Fget_obj_ids
#define H5Fget_obj_ids (*st_hdf5_loaded.at_H5Fget_obj_ids)
#undef H5Fopen
#define H5Fopen (*st_hdf5_loaded.at_H5Fopen)
#undef H5Gclose
#define H5Gclose (*st_hdf5_loaded.at_H5Gclose)
#undef H5Gcreate2
#define H5Gcreate2 (*st_hdf5_loaded.at_H5Gcreate2)
#undef H5Iget_type
#define H5Iget_type (*st_hdf5_loaded.at_H5Iget_type)
#undef H5Ldelete
#define H5Ldelete (*st_hdf5_loaded.at_H5Ldelete)
#undef H5Lexists
#define H5Lexists (*st_hdf5_loaded.at_H5Lexists)
#undef H5Literate
#define H5Literate (*st_hdf5_loaded.at_H5Literate)
#undef H5Oclose
#define H5Oclose (*st_hdf5_loaded.at_H5Oclose)
#undef H5Oexists_by_name
#define H5Oexists_by_name (*st_hdf5_loaded.at_H5Oexists_by_name)
#undef H5Oopen
#define H5Oopen (*st_hdf5_loaded.at_H5Oopen)
#undef H5Pclose
#define H5Pclose (*st_hdf5_loaded.at_H5Pclose)
#undef H5Pcreate
#define H5Pcreate (*st_hdf5_loaded.at_H5Pcreate)
#undef H5Pget_chunk
#define H5Pget_chunk (*st_hdf5_loaded.at_H5Pget_chunk)
#undef H5Pget_external_count
#define H5Pget_external_count (*st_hdf5_loaded.at_H5Pget_external_count)
#undef H5Pget_filter2
#define H5Pget_filter2 (*st_hdf5_loaded.at_H5Pget_filter2)
#undef H5Pget_filter_by_id2
#define H5Pget_filter_by_id2 (*st_hdf5_loaded.at_H5Pget_filter_by_id2)
#undef H5Pget_layout
#define H5Pget_layout (*st_hdf5_loaded.at_H5Pget_layout)
#undef H5Pget_nfilters
#define H5Pget_nfilters (*st_hdf5_loaded.at_H5Pget_nfilters)
#undef H5Pmodify_filter
#define H5Pmodify_filter (*st_hdf5_loaded.at_H5Pmodify_filter)
#undef H5Pset_elink_cb
#define H5Pset_elink_cb (*st_hdf5_loaded.at_H5Pset_elink_cb)
#undef H5Pset_file_locking
#define H5Pset_file_locking (*st_hdf5_loaded.at_H5Pset_file_locking)
#undef H5Rdereference2
#define H5Rdereference2 (*st_hdf5_loaded.at_H5Rdereference2)
#undef H5Sclose
#define H5Sclose (*st_hdf5_loaded.at_H5Sclose)
#undef H5Screate
#define H5Screate (*st_hdf5_loaded.at_H5Screate)
#undef H5Screate_simple
#define H5Screate_simple (*st_hdf5_loaded.at_H5Screate_simple)
#undef H5Sget_simple_extent_dims
#define H5Sget_simple_extent_dims (*st_hdf5_loaded.at_H5Sget_simple_extent_dims)
#undef H5Sget_simple_extent_ndims
#define H5Sget_simple_extent_ndims (*st_hdf5_loaded.at_H5Sget_simple_extent_ndims)
#undef H5Sget_simple_extent_npoints
#define H5Sget_simple_extent_npoints (*st_hdf5_loaded.at_H5Sget_simple_extent_npoints)
#undef H5Sselect_all
#define H5Sselect_all (*st_hdf5_loaded.at_H5Sselect_all)
#undef H5Sselect_hyperslab
#define H5Sselect_hyperslab (*st_hdf5_loaded.at_H5Sselect_hyperslab)
#undef H5Tarray_create2
#define H5Tarray_create2 (*st_hdf5_loaded.at_H5Tarray_create2)
#undef H5Tclose
#define H5Tclose (*st_hdf5_loaded.at_H5Tclose)
#undef H5Tcopy
#define H5Tcopy (*st_hdf5_loaded.at_H5Tcopy)
#undef H5Tcreate
#define H5Tcreate (*st_hdf5_loaded.at_H5Tcreate)
#undef H5Tequal
#define H5Tequal (*st_hdf5_loaded.at_H5Tequal)
#undef H5Tget_array_dims2
#define H5Tget_array_dims2 (*st_hdf5_loaded.at_H5Tget_array_dims2)
#undef H5Tget_array_ndims
#define H5Tget_array_ndims (*st_hdf5_loaded.at_H5Tget_array_ndims)
#undef H5Tget_class
#define H5Tget_class (*st_hdf5_loaded.at_H5Tget_class)
#undef H5Tget_member_index
#define H5Tget_member_index (*st_hdf5_loaded.at_H5Tget_member_index)
#undef H5Tget_member_name
#define H5Tget_member_name (*st_hdf5_loaded.at_H5Tget_member_name)
#undef H5Tget_member_type
#define H5Tget_member_type (*st_hdf5_loaded.at_H5Tget_member_type)
#undef H5Tget_nmembers
#define H5Tget_nmembers (*st_hdf5_loaded.at_H5Tget_nmembers)
#undef H5Tget_sign
#define H5Tget_sign (*st_hdf5_loaded.at_H5Tget_sign)
#undef H5Tget_size
#define H5Tget_size (*st_hdf5_loaded.at_H5Tget_size)
#undef H5Tget_strpad
#define H5Tget_strpad (*st_hdf5_loaded.at_H5Tget_strpad)
#undef H5Tget_super
#define H5Tget_super (*st_hdf5_loaded.at_H5Tget_super)
#undef H5Tinsert
#define H5Tinsert (*st_hdf5_loaded.at_H5Tinsert)
#undef H5Tis_variable_str
#define H5Tis_variable_str (*st_hdf5_loaded.at_H5Tis_variable_str)
#undef H5Tset_cset
#define H5Tset_cset (*st_hdf5_loaded.at_H5Tset_cset)
#undef H5Tset_size
#define H5Tset_size (*st_hdf5_loaded.at_H5Tset_size)
#undef H5Zfilter_avail
#define H5Zfilter_avail (*st_hdf5_loaded.at_H5Zfilter_avail)
#undef H5Zregister
#define H5Zregister (*st_hdf5_loaded.at_H5Zregister)
#undef H5allocate_memory
#define H5allocate_memory (*st_hdf5_loaded.at_H5allocate_memory)
#undef H5close
#define H5close (*st_hdf5_loaded.at_H5close)
#undef H5free_memory
#define H5free_memory (*st_hdf5_loaded.at_H5free_memory)
#undef H5open
#define H5open (*st_hdf5_loaded.at_H5open)
#define H5P_CLS_FILE_ACCESS_ID_g (*st_hdf5_loaded.at_H5P_CLS_FILE_ACCESS_ID_g)
#define H5P_CLS_LINK_ACCESS_ID_g (*st_hdf5_loaded.at_H5P_CLS_LINK_ACCESS_ID_g)
#define H5T_C_S1_g (*st_hdf5_loaded.at_H5T_C_S1_g)
#define H5T_IEEE_F32LE_g (*st_hdf5_loaded.at_H5T_IEEE_F32LE_g)
#define H5T_NATIVE_DOUBLE_g (*st_hdf5_loaded.at_H5T_NATIVE_DOUBLE_g)
#define H5T_NATIVE_FLOAT_g (*st_hdf5_loaded.at_H5T_NATIVE_FLOAT_g)
#define H5T_NATIVE_INT64_g (*st_hdf5_loaded.at_H5T_NATIVE_INT64_g)
#define H5T_NATIVE_UINT16_g (*st_hdf5_loaded.at_H5T_NATIVE_UINT16_g)
#define H5T_NATIVE_UINT8_g (*st_hdf5_loaded.at_H5T_NATIVE_UINT8_g)
#define H5T_STD_I64LE_g (*st_hdf5_loaded.at_H5T_STD_I64LE_g)
#define H5T_STD_REF_OBJ_g (*st_hdf5_loaded.at_H5T_STD_REF_OBJ_g)
#endif

#endif
